/*
 * Whether somebody has made this box theirs. Until then a secret made at the
 * first start proves that a person holds it: it is in <data>/claim-token (0600)
 * and printed at start, and gone once used.
 */
#ifndef DB_CLAIM_H
#define DB_CLAIM_H

#include <stdbool.h>

#include "broker/base/password.h"

struct db_config;
struct db_user;

/* True when an enabled administrator has ever been made by db_claim(). */
int db_claim_state(struct db_config *config, bool *claimed);

/*
 * The token of an unclaimed box: made and stored on the first call, the same one
 * ever after, also if the file was removed meanwhile (it is written again).
 * Returns 0, -EALREADY when claimed, or a negative errno.
 */
int db_claim_token(struct db_config *config, char out[PASSWORD_TOKEN_SIZE]);

/*
 * Make the first administrator (user->admin and enabled are taken as true) and
 * mark the box claimed, together. Returns 0; -EPERM: wrong token (compared in
 * constant time); -EALREADY: claimed; or what db_users_add() returns.
 */
int db_claim(struct db_config *config, const char *token,
	     const struct db_user *user);

#endif
