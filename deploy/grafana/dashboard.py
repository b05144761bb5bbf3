#!/usr/bin/env python3
"""Prints the dashboard for Grafana, made from the list of panels below: dashboard.py > libsvc.json

In a query, <job> stands for the matcher of the chosen services, <instance> for the matchers of services and
instances, and <route> for those of services, instances and routes.
"""
import json

MATCHERS = {
    "<job>": 'job=~"$job"',
    "<instance>": 'job=~"$job",instance=~"$instance"',
    "<route>": 'job=~"$job",instance=~"$instance",http_route=~"$route"',
}

# Name, label, query. The dashboard opens with all values of each.
VARIABLES = [
    ("job", "Service", "label_values(svc_build_info, job)"),
    ("instance", "Instance", 'label_values(svc_build_info{job=~"$job"}, instance)'),
    ("route", "Route", 'label_values(http_server_request_duration_seconds_count{job=~"$job"}, http_route)'),
]

DURATION = "http_server_request_duration_seconds"


def rate(series):
    return f"rate({series}[$__rate_interval])"


def total_rate(series):
    return f"sum({rate(series)})"


def rate_by(label, series):
    return f"sum by ({label}) ({rate(series)})"


def share_of(label, counter, chosen):
    """The part of a counter's events that the matcher `chosen` chooses; 0 if it was none yet."""
    every = rate_by(label, f"{counter}{{<instance>}}")
    return f"({rate_by(label, f'{counter}{{<instance>,{chosen}}}')} or 0 * {every}) / ({every} > 0)"


def errors_by(label, matcher):
    """The share of failed requests, as ../prometheus/rules.yml defines it; 0 if no request has failed."""
    count = f"{DURATION}_count"
    failed = rate_by(label, f'{count}{{{matcher},error_type=~"5..|cut"}}')
    every = rate_by(label, f"{count}{{{matcher}}}")
    return f"({failed} or 0 * {every}) / ({every} > 0)"


def quantile(q, series, by="le"):
    return f"histogram_quantile({q}, {rate_by(by, series)})"


def burning(ratio, objective):
    return f"{ratio}{{<job>}} / (1 - scalar({objective}))"


# Rows with their panels. A panel has a title, a unit, an explanation, and queries by their legends.
ROWS = [
    ("Requests", [
        ("Requests by route", "reqps", "The pattern of the handler; empty for requests without a route.",
         {"{{http_route}}": rate_by("http_route", f"{DURATION}_count{{<route>}}")}),
        ("Failed requests by route", "percentunit", "Status 5xx, or a reply that the service cut off.",
         {"{{http_route}}": errors_by("http_route", "<route>")}),
        ("Duration", "s", "From the request line to the last byte of the reply.",
         {f"p{q}": quantile(f"0.{q}", f"{DURATION}_bucket{{<route>}}") for q in (50, 95, 99)}),
        ("Duration by route, p95", "s", "One request in twenty takes longer.",
         {"{{http_route}}": quantile(0.95, f"{DURATION}_bucket{{<route>}}", "le, http_route")}),
        ("Requests by status", "reqps", "The status is empty if the client left before the reply.",
         {"{{http_response_status_code}}":
              rate_by("http_response_status_code", f"{DURATION}_count{{<route>}}")}),
        ("Failed or unfinished, by cause", "reqps",
         "A status of 5xx; client_gone, timed_out (the client reads too slowly) or cut (by the service).",
         {"{{error_type}}": rate_by("error_type", f'{DURATION}_count{{<route>,error_type!=""}}')}),
        ("Requests in flight", "short", "Requests that are being served.",
         {"{{http_request_method}}":
              "sum by (http_request_method) (http_server_active_requests{<instance>})"}),
        ("Conditional requests", "reqps", "not_modified is a 304, failed a 412, missing a 428.",
         {"{{result}}": rate_by("result", "svc_conditional_requests_total{<instance>}")}),
    ]),
    ("Objectives", [
        ("Error budget: burn rate", "short", "At 1 the budget lasts for 30 days. Alerts: 14.4, 6 and 1.",
         {f"{{{{job}}}}, {w}": burning(f"job:http_server_errors:ratio_rate{w}", "svc:availability:objective")
          for w in ("5m", "1h", "6h")}),
        ("Latency budget: burn rate", "short", "The same for requests that take longer than half a second.",
         {f"{{{{job}}}}, {w}": burning(f"job:http_server_slow:ratio_rate{w}", "svc:latency:objective")
          for w in ("5m", "1h", "6h")}),
    ]),
    ("Instances", [
        ("Reached by Prometheus", "short", "1 is yes, 0 is no.", {"{{instance}}": "up{<instance>}"}),
        ("Requests by instance", "reqps", "A balancer gives each about the same.",
         {"{{instance}}": rate_by("instance", f"{DURATION}_count{{<route>}}")}),
        ("Failed requests by instance", "percentunit", "Status 5xx, or a reply that the service cut off.",
         {"{{instance}}": errors_by("instance", "<route>")}),
        ("Duration by instance, p95", "s", "One request in twenty takes longer.",
         {"{{instance}}": quantile(0.95, f"{DURATION}_bucket{{<route>}}", "le, instance")}),
        ("Processor", "short", "CPUs in use.",
         {"{{instance}}": rate("process_cpu_seconds_total{<instance>}")}),
        ("Memory", "bytes", "Resident memory.",
         {"{{instance}}": "process_resident_memory_bytes{<instance>}"}),
        ("Descriptors", "percentunit", "The share of the limit that is open.",
         {"{{instance}}": "process_open_fds{<instance>} / process_max_fds{<instance>}"}),
        ("Time since the start", "s", "A fall to 0 is a restart.",
         {"{{instance}}": "time() - process_start_time_seconds{<instance>}"}),
    ]),
    ("Saturation", [
        ("Lateness of event loops, p99", "s", "How late timers fire: requests wait for as long.",
         {"{{instance}}":
              quantile(0.99, 'svc_loop_lag_seconds_bucket{<instance>,listener="service"}', "le, instance")}),
        ("Stalls of event loops", "short", "Times that a route held its loop for stall_ms.",
         {"{{route}}": "sum by (route) (svc_loop_stalls_total{<instance>})"}),
        ("Standstills of event loops", "short", "Times that the system did not run a loop for stall_ms.",
         {"{{instance}}": "svc_loop_standstills_total{<instance>}"}),
        ("Workers", "short", "Threads for handlers that block.",
         {"busy, {{instance}}": "svc_workers_busy{<instance>}",
          "threads, {{instance}}": "svc_workers{<instance>}",
          "limit, {{instance}}": "svc_workers_max{<instance>}"}),
        ("Queue for workers", "short", "Requests that wait for a worker.",
         {"{{instance}}": "svc_workers_queued{<instance>}",
          "limit, {{instance}}": "svc_workers_queue_max{<instance>}"}),
        ("Wait for a worker", "s", "How long a request waits for its thread.",
         {f"p{q}": quantile(f"0.{q}", "svc_worker_wait_seconds_bucket{<instance>}") for q in (50, 95, 99)}),
        ("Wait for a worker by route, p95", "s", "The series of a route begins with its first wait.",
         {"{{http_route}}":
              quantile(0.95, "svc_worker_wait_seconds_bucket{<route>}", "le, http_route")}),
        ("Connections by state", "short", "Open connections of the service.",
         {"{{state}}": 'sum by (state) (svc_connections{<instance>,listener="service"})'}),
        ("Connections: accepted, refused, timed out", "cps", "A sum of all instances.",
         {"accepted": total_rate('svc_connections_accepted_total{<instance>,listener="service"}'),
          "refused: {{reason}}":
              rate_by("reason", 'svc_connections_refused_total{<instance>,listener="service"}'),
          "timed out: {{phase}}":
              rate_by("phase", 'svc_connections_timed_out_total{<instance>,listener="service"}')}),
    ]),
    ("Limits", [
        ("Requests shed", "reqps", "Refused because the service has too much to do.",
         {"{{reason}}": rate_by("reason", "svc_requests_shed_total{<instance>}")}),
        ("Concurrency limits", "short", "Requests that hold a permit, and the sum of the limits.",
         {"in flight, {{instance}}": "svc_concurrency_in_flight{<instance>}",
          "limit, {{instance}}": "svc_concurrency_limit{<instance>}"}),
        ("Rate limits", "reqps", "Refused by a limit (429), or by one that only reports.",
         {"refused: {{policy}}": rate_by("policy", "svc_rate_limit_refused_total{<instance>}"),
          "reported: {{policy}}": rate_by("policy", "svc_rate_limit_reported_total{<instance>}")}),
        ("Rate limits in a store", "reqps",
         "refused_locally needed no question; failed_… are decided by the limit's policy for failures.",
         {"{{outcome}}": rate_by("outcome", "svc_rate_limit_store_total{<instance>}")}),
        ("Requests over a limit of size", "reqps", "Body 413, target 414, head 431.",
         {"{{limit}}": rate_by("limit", "svc_requests_over_limit_total{<instance>}")}),
        ("Refused before they were requests", "reqps", "Malformed heads, and heads that did not end.",
         {"{{instance}}":
              rate_by("instance", 'svc_requests_refused_below_total{<instance>,listener="service"}')}),
    ]),
    ("Stores and caches", [
        ("Calls of stores", "ops", "Operations by the store's backend and their kind.",
         {"{{backend}} {{operation}}":
              rate_by("backend, operation", "svc_store_operations_total{<instance>}")}),
        ("Failed calls of stores", "percentunit", "The server is gone, too slow, or sends nonsense.",
         {"{{backend}}": share_of("backend", "svc_store_operations_total",
                                  'outcome=~"unavailable|timed_out|malformed|failed"')}),
        ("Duration of calls of stores, p95", "s", "Of backends that wait for a server.",
         {"{{backend}} {{operation}}":
              quantile(0.95, "svc_store_call_duration_seconds_bucket{<instance>}",
                       "le, backend, operation")}),
        ("Servers of stores", "short", "A server that fails is left out: its breaker is open.",
         {"{{backend}}, {{instance}}": "svc_store_servers{<instance>}",
          "left out: {{backend}}, {{instance}}": "svc_store_servers_out{<instance>}"}),
        ("Stores in memory", "bytes", "Of the backend memory: values, keys and their index.",
         {"{{instance}}": "svc_store_bytes{<instance>}"}),
        ("Stores in memory: entries that leave", "ops", "For lack of room, or since their time is over.",
         {"evicted, {{instance}}": rate_by("instance", "svc_store_evicted_total{<instance>}"),
          "expired, {{instance}}": rate_by("instance", "svc_store_expired_total{<instance>}")}),
        ("Messages between instances", "ops", "A gap: an instance may have missed messages.",
         {"received: {{channel}}": rate_by("channel", "svc_channel_messages_total{<instance>}"),
          "gaps: {{channel}}": rate_by("channel", "svc_channel_gaps_total{<instance>}")}),
        ("Memos: calls", "ops", "By how they were answered.",
         {"{{memo}}: {{outcome}}": rate_by("memo, outcome", "svc_memo_lookups_total{<instance>}")}),
        ("Memos: duration of loads, p95", "s", "How long the source takes.",
         {"{{memo}}": quantile(0.95, "svc_memo_load_seconds_bucket{<instance>}", "le, memo")}),
        ("Response cache: requests", "reqps", "hit, stale and collapsed need no handler.",
         {"{{result}}": rate_by("result", "svc_response_cache_requests_total{<instance>}")}),
        ("Response cache: memory", "bytes", "Bytes that the stored replies take.",
         {"{{instance}}": "svc_response_cache_bytes{<instance>}"}),
        ("Idempotency keys", "reqps", "Requests with a key, by what has become of them.",
         {"{{result}}": rate_by("result", "svc_idempotency_requests_total{<instance>}")}),
    ]),
    ("Tasks, logs and traces", [
        ("Tasks", "short", "Background tasks that run, and how often they have failed.",
         {"running: {{task}}": "sum by (task) (svc_tasks_running{<instance>})",
          "failures: {{task}}": "sum by (task) (svc_task_failures_total{<instance>})"}),
        ("Log lines", "cps", "Lines written, and lines dropped because the output was too slow.",
         {"written": total_rate("svc_log_lines_written_total{<instance>}"),
          "dropped": total_rate("svc_log_lines_dropped_total{<instance>}")}),
        ("Spans", "cps", "Spans that have ended, by what has become of them.",
         {"{{result}}": rate_by("result", "otlp_spans_total{<instance>}")}),
        ("Queue of spans", "short", "Spans that wait to be sent; beyond the limit they are dropped.",
         {"{{instance}}": "otlp_spans_queued{<instance>}",
          "limit, {{instance}}": "otlp_spans_queue_max{<instance>}"}),
    ]),
]

# ---- Grafana's JSON

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS, WIDTH, HEIGHT = 3, 8, 8


def fill_in(query):
    for name, matcher in MATCHERS.items():
        query = query.replace(name, matcher)
    return query


def make_variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": SOURCE,
            "query": {"query": query, "refId": name}, "definition": query, "refresh": 2, "sort": 1,
            "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}}


def make_target(index, legend, query):
    return {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": fill_in(query),
            "legendFormat": legend, "exemplar": "histogram_quantile" in query}


def make_panel(number, place, title, unit, explanation, queries):
    return {"id": number, "type": "timeseries", "title": title, "description": explanation,
            "datasource": SOURCE, "gridPos": place,
            "targets": [make_target(i, *query) for i, query in enumerate(queries.items())],
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom"},
                        "tooltip": {"mode": "multi", "sort": "desc"}}}


def make_panels():
    panels, y = [], 0
    for title, row in ROWS:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False,
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS * WIDTH, "h": 1}, "panels": []})
        y += 1
        for i, panel in enumerate(row):
            place = {"x": i % COLUMNS * WIDTH, "y": y + i // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT}
            panels.append(make_panel(len(panels) + 1, place, *panel))
        y += -(-len(row) // COLUMNS) * HEIGHT
    return panels


def make_dashboard():
    source = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}
    return {"uid": "libsvc", "title": "Services on libsvc", "tags": ["libsvc"], "schemaVersion": 38,
            "editable": True, "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [source] + [make_variable(*variable) for variable in VARIABLES]},
            "annotations": {"list": []}, "panels": make_panels()}


if __name__ == "__main__":
    print(json.dumps(make_dashboard(), indent=1))
