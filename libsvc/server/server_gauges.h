/*
 * Gauges of a service's servers: their connections by state, and their loops. Loops count the
 * states by themselves, each its own, and these are summed when metrics are read.
 */
#ifndef SVC_SERVER_SERVER_GAUGES_H
#define SVC_SERVER_SERVER_GAUGES_H

struct metrics;
struct server;

/* The servers of a service, each with those behind it; `admin` is NULL if there is none. */
struct shown_servers {
    const struct server *service, *admin;
};

/* Registers the gauges of the servers, which are borrowed until svc__metrics_end_fns. Before others
 * read. */
void svc__server_gauges_register(struct metrics *in, struct shown_servers *servers);

#endif
