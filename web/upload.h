/*
 * A backup that comes from outside, to be restored: announced by an administrator,
 * then sent in a request of its own, which goes to a file instead of into memory.
 * Whoever has the announcement's name may send it, so that the first byte need not
 * wait for a password to be checked. One at a time. The web thread's alone.
 */
#ifndef WEB_UPLOAD_H
#define WEB_UPLOAD_H

#include "web/request.h"

struct upload;

/* Bytes of a backup: all databases at their largest. */
#define UPLOAD_BYTES_MAX (INT64_C(4) * 1024 * 1024 * 1024)
/* Until it must have begun, ms. */
#define UPLOAD_BEGIN_MS 60000
/* What it must come with at least, bytes a millisecond: 64 KB/s. */
#define UPLOAD_BYTES_PER_MS 64

struct upload *upload_new(void);
/* NULL does nothing. */
void upload_free(struct upload *upload);

/*
 * Announce one of so many bytes; passphrase (NULL: none) is copied. Returns its
 * name, valid as long as it; NULL with errno EBUSY: another is being sent; ENOSPC,
 * ENOMEM, EIO.
 */
const char *upload_announce(struct web_context *web, uint64_t bytes,
			    const char *passphrase);

/* The head of a request that is to send it (its last segment is the name, its
 * Content-Length what was announced). False: it has been answered. From then on it
 * is request->upload. */
bool upload_begin(struct request *request);
void upload_data(struct request *request, const void *bytes, size_t len);
/* All has come: the file, which is the caller's, or a negative errno. The
 * passphrase is moved to *passphrase, which the caller wipes and frees. */
int upload_end(struct request *request, char **passphrase);
/* The request has ended, by itself or not. */
void upload_gone(struct request *request);

#endif
