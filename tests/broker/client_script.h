/*
 * A client's protocol with a scripted server: bytes as hexadecimal text, and
 * what came out of the callbacks as lines of a story.
 */
#ifndef TESTS_BROKER_CLIENT_SCRIPT_H
#define TESTS_BROKER_CLIENT_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/client/client_protocol.h"

/* The CONNECT packets of the two; 5.0 says Maximum Packet Size 1 MiB. */
#define CONNECT_311 "10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 63"
#define CONNECT_5 \
	"10 13 00 04 4d 51 54 54 05 02 00 3c 05 27 00 10 00 00 00 01 63"

extern const struct client_options old;
extern const struct client_options new;
extern const struct client_callbacks callbacks;

/* The server's packets arrive byte for byte. */
extern bool one_by_one;

/* Compare with what the callbacks told since the last time. */
void assert_story(const char *expected);

/* The server sends; returns what client_protocol_input() says. */
int receive_at(struct client_protocol *p, const char *hex, uint64_t now);
int receive(struct client_protocol *p, const char *hex);
/* The output is just this; it is taken. */
void assert_sends(struct client_protocol *p, const char *hex);

struct client_protocol *make(const struct client_options *options);
/* Connected, with both sides' first packets gone. */
struct client_protocol *make_connected(const struct client_options *options);

/* QoS 1 to topic "t". */
int publish1(struct client_protocol *p, const char *payload, uint64_t token);

/* Run the tests twice, whole and byte by byte. */
#define run_both_ways(tests)                                       \
	(cmocka_run_group_tests_name("whole", tests, NULL, NULL) + \
	 (one_by_one = true,                                       \
	  cmocka_run_group_tests_name("byte by byte", tests, NULL, NULL)))

#endif
