#include "db/backup/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int passphrase_read(const char *path, char out[PASSPHRASE_SIZE],
		    struct reason *reason)
{
	char text[PASSPHRASE_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = 0;
	size_t len = 0;

	if (fd < 0)
		return reason_set(reason, -errno, "%.100s: %s", path,
				  strerrordesc_np(errno));
	/* A pipe gives it in pieces. */
	while (len < sizeof(text) &&
	       (n = seal_read_fd(&fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (n < 0)
		return reason_set(reason, (int)n, "%.100s: %s", path,
				  strerrordesc_np((int)-n));
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			len = i;
	if (len < SEAL_PASSPHRASE_MIN || len > SEAL_PASSPHRASE_MAX ||
	    memchr(text, '\0', len)) {
		explicit_bzero(text, sizeof(text));
		return reason_set(reason, -EINVAL,
				  "%.100s: expected a passphrase of %d to %d"
				  " bytes in its first line",
				  path, SEAL_PASSPHRASE_MIN,
				  SEAL_PASSPHRASE_MAX);
	}
	memcpy(out, text, len);
	out[len] = '\0';
	explicit_bzero(text, sizeof(text));

	return 0;
}
