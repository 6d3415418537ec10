/*
 * Bytes to and from the broker: on the socket, or through TLS on it. Certificates
 * are not checked: what is measured is what the broker's side costs.
 */
#ifndef BENCH_CHANNEL_H
#define BENCH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;

/* The handshake on a connected socket, which does not block afterwards. Ends the
 * program when it fails. */
struct ssl_st *channel_tls(int fd);
void channel_tls_free(struct ssl_st *ssl);

/* As send() and recv() that never wait; ssl NULL: on the socket itself. */
ssize_t channel_send(int fd, struct ssl_st *ssl, const uint8_t *data,
		     size_t len);
ssize_t channel_receive(int fd, struct ssl_st *ssl, uint8_t *data, size_t size);
/* The socket will not say that there is more: TLS has it already. */
bool channel_holds_more(struct ssl_st *ssl);

#endif
