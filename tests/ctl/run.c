#include "tests/ctl/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 16

struct run run_against(const char *url, const char *line, const char *input)
{
	struct run run = { 0 };
	static char name[] = "hearthctl";
	char *argv[ARGUMENTS_MAX + 1] = { NULL };
	char *words = strdup(line);
	char *rest = words;
	size_t out_len;
	size_t err_len;
	struct ctl_io io = {
		.in = fmemopen((void *)(uintptr_t)input, strlen(input), "r"),
		.out = open_memstream(&run.out, &out_len),
		.err = open_memstream(&run.err, &err_len),
		.url = url,
		.password = "from environment",
	};
	int argc = 0;

	assert_non_null(words);
	assert_non_null(io.in);
	argv[argc++] = name;
	while (rest && argc < ARGUMENTS_MAX)
		argv[argc++] = strsep(&rest, "|");
	run.code = ctl_run(argc, argv, &io);
	fclose(io.in);
	fclose(io.out);
	fclose(io.err);
	free(words);

	return run;
}

struct run run_input(const char *line, const char *input,
		     const struct fake_answer *answers)
{
	struct fake_hub *hub = fake_hub_new(answers);
	struct run run = run_against(fake_hub_url(hub), line, input);

	run.hub = hub;
	return run;
}

struct run run(const char *line, const struct fake_answer *answers)
{
	return run_input(line, "\n", answers);
}

void run_end(struct run *run)
{
	if (run->hub)
		fake_hub_free(run->hub);
	free(run->out);
	free(run->err);
}

void assert_request(struct run *run, size_t n, const char *line,
		    const char *body)
{
	const char *request = fake_hub_request(run->hub, n);
	const char *end = strstr(request, "\r\n\r\n");
	char first[512];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(request, "\r"),
		 request);
	assert_string_equal(first, line);
	assert_non_null(end);
	assert_string_equal(end + 4, body);
}

void assert_header(struct run *run, size_t n, const char *line)
{
	if (!strstr(fake_hub_request(run->hub, n), line))
		fail_msg("no %s in:\n%s", line, fake_hub_request(run->hub, n));
}
