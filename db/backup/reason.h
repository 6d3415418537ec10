/*
 * Why a backup was refused, in words for a person: one sentence without its full
 * stop. Beside the negative errno that the functions of this folder return:
 *
 *	-EILSEQ		no backup of ours at all
 *	-ENOTSUP	of a newer hearthd
 *	-ENOKEY		it needs a passphrase
 *	-EKEYREJECTED	that is not its passphrase
 *	-EBADMSG	damaged, cut off, or not what hearth writes
 *	-ENOSPC, -EIO, -ENOMEM...	could not be read or written
 */
#ifndef DB_BACKUP_REASON_H
#define DB_BACKUP_REASON_H

struct reason {
	char text[200];
};

/* Set the words, unless a deeper function has, and return error. */
__attribute__((format(printf, 3, 4))) int
reason_set(struct reason *reason, int error, const char *format, ...);

/* The words, or those of the errno where nobody has set any. */
const char *reason_text(const struct reason *reason, int error);

#endif
