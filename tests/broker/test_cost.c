/*
 * What the hot path promises, counted: no allocation for a QoS 0 message, one
 * read and one send for a socket in a turn, no epoll_ctl; and what a client that
 * does nothing holds. Every call of the broker's is wrapped by the linker.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "broker/peer/connection.h"
#include "broker/session/session.h"
#include "tests/broker/sim_peer.h"

#define SUBSCRIBERS 5
#define MESSAGES 20

/* Bytes of user memory for an idle connection, with what malloc adds: 800 less what
 * only real ones have, longer addresses and a place in the table of descriptors. */
#define IDLE_BYTES 752

static struct {
	bool on; /* the broker is at work */
	int peer; /* what goes out here is not the broker's */
	unsigned int allocations, receives, sends, controls;
	size_t held; /* bytes allocated and not freed, always counted */
} count;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
ssize_t __real_recv(int fd, void *data, size_t len, int flags);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);

/* As glibc's malloc would have it, also under a sanitizer's. */
static size_t chunk(void *p)
{
	size_t size = (malloc_usable_size(p) + sizeof(size_t) + 15) & ~15ul;

	return size < 32 ? 32 : size;
}

static void *took(void *p)
{
	count.allocations += count.on;
	if (p)
		count.held += chunk(p);
	return p;
}

void *__wrap_malloc(size_t size)
{
	return took(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return took(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	if (old)
		count.held -= chunk(old);
	return took(__real_realloc(old, size));
}

void __wrap_free(void *old)
{
	if (old)
		count.held -= chunk(old);
	__real_free(old);
}

char *__wrap_strdup(const char *text)
{
	return took(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
	return took(__real_strndup(text, len));
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	count.receives += count.on;
	return __real_recv(fd, data, len, flags);
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	count.sends += count.on && fd != count.peer;
	return __real_send(fd, data, len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	count.sends += count.on;
	return __real_sendmsg(fd, message, flags);
}

int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	count.controls += count.on;
	return __real_epoll_ctl(epoll, op, fd, event);
}

struct rig {
	struct broker *broker;
	struct sim_peer *publisher;
	struct sim_peer *subscribers[SUBSCRIBERS];
};

static void rig_open(struct rig *rig, enum mqtt_version version, uint8_t qos)
{
	char id[16];

	rig->broker = sim_broker(NULL, NULL);
	assert_non_null(rig->broker);
	rig->publisher = sim_client(rig->broker, version, "pub", true, NULL);
	for (int i = 0; i < SUBSCRIBERS; i++) {
		snprintf(id, sizeof(id), "sub%d", i);
		rig->subscribers[i] =
			sim_client(rig->broker, version, id, true, NULL);
		sim_peer_subscribed(rig->subscribers[i], "a/+", qos);
	}
}

static void rig_close(struct rig *rig)
{
	sim_peer_close(rig->publisher);
	for (int i = 0; i < SUBSCRIBERS; i++)
		sim_peer_close(rig->subscribers[i]);
	broker_free(rig->broker);
}

/* MESSAGES in one write; every subscriber gets and acknowledges them. */
static void burst(struct rig *rig, enum mqtt_version version, uint8_t qos)
{
	uint8_t bytes[MESSAGES * 64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct mqtt_publish packet = {
		.topic = slice_str("a/b"),
		.payload = slice_str("21.5"),
		.qos = qos,
	};
	struct frame frame;

	for (uint16_t i = 1; i <= MESSAGES; i++) {
		packet.packet_id = qos ? i : 0;
		publish_encode(&w, version, &packet);
	}
	assert_false(w.overflow);
	count.peer = rig->publisher->fd;
	count.on = true;
	sim_peer_send(rig->publisher, bytes, w.len);
	count.on = false;
	for (int i = 0; i < SUBSCRIBERS; i++) {
		for (int k = 0; k < MESSAGES; k++) {
			packet = sim_peer_message(rig->subscribers[i]);
			if (qos)
				sim_peer_ack(rig->subscribers[i], MQTT_PUBACK,
					     packet.packet_id);
		}
		sim_peer_expect_nothing(rig->subscribers[i]);
	}
	for (int k = 0; qos && k < MESSAGES; k++)
		assert_true(sim_peer_next(rig->publisher, &frame));
}

static void test_a_message_allocates_nothing(void **state)
{
	const enum mqtt_version versions[] = { MQTT_3_1_1, MQTT_5_0 };
	struct rig rig;

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		for (uint8_t qos = 0; qos < 2; qos++) {
			rig_open(&rig, versions[v], qos);
			/* The first ones make what is kept: topic, chunks. */
			burst(&rig, versions[v], qos);
			burst(&rig, versions[v], qos);
			count.allocations = 0;
			burst(&rig, versions[v], qos);
			assert_int_equal(count.allocations, 0);
			rig_close(&rig);
		}
	}
}

static void test_a_socket_has_one_read_and_one_send_a_turn(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, MQTT_3_1_1, 0);
	burst(&rig, MQTT_3_1_1, 0);
	count.receives = count.sends = count.controls = 0;
	burst(&rig, MQTT_3_1_1, 0);
	assert_int_equal(count.receives, 1);
	assert_int_equal(count.sends, SUBSCRIBERS);
	assert_int_equal(count.controls, 0);
	rig_close(&rig);
}

static void test_acknowledgements_leave_in_one_send(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, MQTT_5_0, 1);
	burst(&rig, MQTT_5_0, 1);
	count.receives = count.sends = count.controls = 0;
	burst(&rig, MQTT_5_0, 1);
	assert_int_equal(count.receives, 1);
	assert_int_equal(count.sends, SUBSCRIBERS + 1);
	assert_int_equal(count.controls, 0);
	rig_close(&rig);
}

static void test_an_idle_connection_is_small(void **state)
{
	enum { CLIENTS = 64 };
	struct broker *broker = sim_broker(NULL, NULL);
	struct sim_peer *peers[CLIENTS];
	size_t before, held;
	char id[16];

	(void)state;
	assert_non_null(broker);
	/* What is made once, whoever comes first. */
	sim_peer_close(sim_client(broker, MQTT_5_0, "first", true, NULL));
	before = count.held;
	for (int i = 0; i < CLIENTS; i++) {
		snprintf(id, sizeof(id), "bench-idle-%04d", i);
		peers[i] = sim_client(broker, MQTT_5_0, id, true, NULL);
	}
	held = count.held - before;
	for (int i = 0; i < CLIENTS; i++)
		held -= chunk(peers[i]);
	assert_true(held / CLIENTS <= IDLE_BYTES);
	for (int i = 0; i < CLIENTS; i++)
		sim_peer_close(peers[i]);
	broker_free(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_allocates_nothing),
		cmocka_unit_test(
			test_a_socket_has_one_read_and_one_send_a_turn),
		cmocka_unit_test(test_acknowledgements_leave_in_one_send),
		cmocka_unit_test(test_an_idle_connection_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
