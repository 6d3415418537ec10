#include "broker/client/client_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct found {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* Two hold it: who asked, and the thread. The last of them frees it. */
struct client_lookup {
	atomic_int holders;
	atomic_bool done; /* what follows is not written any more */
	int fd;
	unsigned int count;
	struct found found[CLIENT_LOOKUP_MAX];
	char host[CLIENT_HOST_SIZE];
	char port[CLIENT_PORT_SIZE];
};

static void let_go(struct client_lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->holders, 1) > 1)
		return;
	(void)close(lookup->fd);
	free(lookup);
}

static void look_up(struct client_lookup *lookup)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list;

	if (getaddrinfo(lookup->host, lookup->port, &hints, &list))
		return;
	for (const struct addrinfo *at = list;
	     at && lookup->count < CLIENT_LOOKUP_MAX; at = at->ai_next) {
		struct found *found = &lookup->found[lookup->count];

		if (at->ai_addrlen > sizeof(found->storage))
			continue;
		memcpy(&found->storage, at->ai_addr, at->ai_addrlen);
		found->len = at->ai_addrlen;
		lookup->count++;
	}
	freeaddrinfo(list);
}

static void *run(void *arg)
{
	struct client_lookup *lookup = arg;

	look_up(lookup);
	atomic_store(&lookup->done, true);
	/* A counter of 64 bits has room for 1. */
	(void)eventfd_write(lookup->fd, 1);
	let_go(lookup);
	return NULL;
}

/* Signals are for the other threads. Returns 0 or a negative errno. */
static int start_thread(struct client_lookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int r = pthread_attr_init(&attributes);

	if (r)
		return -r;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attributes, run, lookup);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return -r;
}

int client_lookup_start(const struct client_address *address,
			struct client_lookup **out)
{
	struct client_lookup *lookup = calloc(1, sizeof(*lookup));
	int r;

	if (!lookup)
		return -ENOMEM;
	memcpy(lookup->host, address->host, sizeof(lookup->host));
	memcpy(lookup->port, address->port, sizeof(lookup->port));
	atomic_init(&lookup->holders, 2);
	lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->fd < 0) {
		r = -errno;
		goto err_free;
	}
	r = start_thread(lookup);
	if (r)
		goto err_close;
	*out = lookup;
	return 0;

err_close:
	(void)close(lookup->fd);
err_free:
	free(lookup);
	return r;
}

void client_lookup_free(struct client_lookup *lookup)
{
	if (lookup)
		let_go(lookup);
}

int client_lookup_fd(const struct client_lookup *lookup)
{
	return lookup->fd;
}

int client_lookup_take(const struct client_lookup *lookup, unsigned int turn,
		       struct client_address *address)
{
	const struct found *found;

	if (!atomic_load(&lookup->done))
		return -EAGAIN;
	if (lookup->count == 0)
		return -EHOSTUNREACH;
	found = &lookup->found[turn % lookup->count];
	address->storage = found->storage;
	address->len = found->len;
	return 0;
}
