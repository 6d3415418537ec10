#include "web/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/password.h"
#include "db/backup/files.h"
#include "db/config.h"
#include "db/db.h"
#include "web/reply.h"

struct upload {
	char name[PASSWORD_TOKEN_SIZE]; /* empty: none is announced */
	char *passphrase;
	uint64_t bytes;
	uint64_t received;
	uint64_t begin_until; /* monotonic ms */
	struct request *sender; /* NULL: not begun */
	int fd;
	int error;
};

struct upload *upload_new(void)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (upload)
		upload->fd = -1;
	return upload;
}

static void forget_passphrase(struct upload *upload)
{
	if (upload->passphrase)
		explicit_bzero(upload->passphrase, strlen(upload->passphrase));
	free(upload->passphrase);
	upload->passphrase = NULL;
}

static void forget(struct upload *upload)
{
	forget_passphrase(upload);
	if (upload->fd >= 0)
		close(upload->fd);
	*upload = (struct upload){ .fd = -1 };
}

void upload_free(struct upload *upload)
{
	if (!upload)
		return;
	forget(upload);
	free(upload);
}

/* Without a name: nothing is left of it, whatever happens. */
static int make_file(struct web_context *web, uint64_t bytes)
{
	int dir = db_dir_fd(db_config_db(web->config));
	uint64_t available;
	/* It is unpacked besides. */
	int fd = files_space(dir, 2 * bytes, &available);

	if (!fd)
		fd = files_create(dir, "upload.tmp");
	if (fd >= 0)
		(void)unlinkat(dir, "upload.tmp", 0);
	return fd;
}

const char *upload_announce(struct web_context *web, uint64_t bytes,
			    const char *passphrase)
{
	struct upload *upload = web->upload;
	int r;

	if (upload->sender) {
		errno = EBUSY;
		return NULL;
	}
	forget(upload);
	r = make_file(web, bytes);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	upload->fd = r;
	upload->bytes = bytes;
	upload->begin_until = clock_ms() + UPLOAD_BEGIN_MS;
	r = -ENOMEM;
	if (passphrase) {
		upload->passphrase = strdup(passphrase);
		if (!upload->passphrase)
			goto err;
	}
	r = password_generate(upload->name);
	if (!r)
		return upload->name;

err:
	forget(upload);
	errno = -r;
	return NULL;
}

static bool is_announced(const struct upload *upload, const char *name)
{
	return strlen(name) == sizeof(upload->name) - 1 && upload->name[0] &&
	       CRYPTO_memcmp(name, upload->name, sizeof(upload->name)) == 0 &&
	       clock_ms() < upload->begin_until && !upload->sender;
}

bool upload_begin(struct request *request)
{
	struct upload *upload = request->web->upload;
	struct slice length = request_header(request, "Content-Length");

	if (!is_announced(upload,
			  request->segments[request->segment_count - 1])) {
		reply_problem(request, 404, "no-upload",
			      "No such upload is announced, or not any more.");
		return false;
	}
	if (length.len == 0 ||
	    strtoull((const char *)length.data, NULL, 10) != upload->bytes) {
		reply_problem(request, 400, "bad-length",
			      "%" PRIu64 " bytes were announced.",
			      upload->bytes);
		return false;
	}
	upload->sender = request;
	request->upload = upload;
	request->bytes = upload->bytes;
	return true;
}

void upload_data(struct request *request, const void *bytes, size_t len)
{
	struct upload *upload = request->upload;
	const uint8_t *at = bytes;

	if (len > upload->bytes - upload->received)
		upload->error = -EMSGSIZE;
	while (!upload->error && len > 0) {
		ssize_t n = write(upload->fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			upload->error = n < 0 ? -errno : -EIO;
			return;
		}
		at += n;
		len -= (size_t)n;
		upload->received += (uint64_t)n;
	}
}

int upload_end(struct request *request, char **passphrase)
{
	struct upload *upload = request->upload;
	int fd = upload->fd;

	if (!upload->error && upload->received != upload->bytes)
		upload->error = -EMSGSIZE;
	if (upload->error)
		return upload->error;
	*passphrase = upload->passphrase;
	upload->passphrase = NULL;
	upload->fd = -1;
	return fd;
}

void upload_gone(struct request *request)
{
	if (request->upload)
		forget(request->upload);
	request->upload = NULL;
}
