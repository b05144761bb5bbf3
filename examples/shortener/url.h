/* The rule for the URLs that a link may lead to. */
#ifndef SHORTENER_URL_H
#define SHORTENER_URL_H

enum { URL_MAX = 2048 /* characters */ };

/*
 * NULL if the text is an absolute URL of http or https; else a sentence for the client that says
 * why not. A URL with a user name is refused: "https://bank.example@evil.example" leads to the
 * second.
 */
const char *url_fault(const char *text);

#endif
