/*
 * hearthctl: the hub from a command line, by its REST API. Commands are thin:
 * one or two requests, and the answer as a table or, with --json, as it came.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stdio.h>

/* Exit codes; hearthctl.1 promises them. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* the hub said no, or a test was answered by no */
	CTL_USAGE = 2, /* also: a file or terminal here could not be read */
	CTL_UNREACHABLE = 3, /* no hub there, or not one that speaks our API */
	CTL_UNAUTHORIZED = 4, /* wrong or missing login, or not allowed */
};

struct ctl_io {
	FILE *in;
	FILE *out;
	FILE *err;
	/* Of the environment; NULL if not set. */
	const char *url;
	const char *password;
};

#define CTL_URL_DEFAULT "http://127.0.0.1:8080"

/* Run one command line; argv[0] is the program's name. Returns the exit code. */
enum ctl_exit ctl_run(int argc, char **argv, const struct ctl_io *io);

#endif
