/*
 * Command lines of hearthctl, run against a hub that gives scripted answers.
 */
#ifndef TESTS_CTL_RUN_H
#define TESTS_CTL_RUN_H

#include "ctl/ctl.h"
#include "tests/ctl/fake_hub.h"

struct run {
	struct fake_hub *hub;
	char *out;
	char *err;
	enum ctl_exit code;
};

/* hearthctl LINE, its words cut at '|', against a hub at url, or one with these
 * answers; what is typed is input, or an empty line. */
struct run run_against(const char *url, const char *line, const char *input);
struct run run_input(const char *line, const char *input,
		     const struct fake_answer *answers);
struct run run(const char *line, const struct fake_answer *answers);
void run_end(struct run *run);

/* The nth request has this first line and this body; and has this header. */
void assert_request(struct run *run, size_t n, const char *line,
		    const char *body);
void assert_header(struct run *run, size_t n, const char *line);

#define ANSWERS(...) \
	((const struct fake_answer[]){ __VA_ARGS__, { 0, NULL, NULL } })
#define OK(json)                \
	{                       \
		200, json, NULL \
	}
#define CREATED(json)           \
	{                       \
		201, json, NULL \
	}
#define DONE                    \
	{                       \
		204, NULL, NULL \
	}

#endif
