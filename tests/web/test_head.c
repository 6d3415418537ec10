#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "web/head.h"

/* literal, with its NULs. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *text;
	size_t len;
	int status;
} heads[] = {
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0 },
	{ TEXT("GET / HTTP/1.0\r\n\r\n"), 0 },
	{ TEXT("PROPFIND /a?b=c HTTP/1.1\r\nHost:\r\nX-1: \ty\r\n\r\n"), 0 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n"), 0 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\n"
	       "Transfer-Encoding: Chunked\r\n\r\n"),
	  0 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n"), 0 },
	/* The probes of which libmicrohttpd lets several pass. */
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	       "Content-Length: 2\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	       "content-length: 1\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n"),
	  400 },
	{ TEXT("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\nHost: a\n\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nX: b\x7f\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), 400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\n"
	       "Content-Length: 99999999999999999999\r\n\r\n"),
	  400 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\n"
	       "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	  501 },
	{ TEXT("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n"),
	  400 },
	{ TEXT("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505 },
	{ TEXT("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 505 },
	{ TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\nX: b\r\n\r\n"), 400 },
	{ TEXT("GET\r\n\r\n"), 400 },
	{ TEXT("GET /\r\n\r\n"), 400 },
	{ TEXT("\r\n"), 400 },
	{ TEXT(""), 400 },
};

static void test_heads_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		const char *why = NULL;
		int status =
			head_check(slice_of(heads[i].text, heads[i].len), &why);

		if (status != heads[i].status)
			fail_msg("%d instead of %d for %s", status,
				 heads[i].status, heads[i].text);
		assert_int_equal(status == 0, why == NULL);
	}
}

/* Memory of exactly the length: the sanitizer sees a step too far. */
static void test_a_cut_head_is_refused(void **state)
{
	static const char text[] =
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		uint8_t *copy = malloc(len + 1);
		const char *why;

		assert_non_null(copy);
		copy = realloc(copy, len ? len : 1);
		memcpy(copy, text, len);
		assert_int_not_equal(head_check(slice_of(copy, len), &why), 0);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads_are_judged),
		cmocka_unit_test(test_a_cut_head_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
