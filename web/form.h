/*
 * The JSON object in a request's body, field by field. What is missing, of the
 * wrong type, out of range or not known is collected and told together: the
 * person filling in a form sees all of it at once.
 *
 *	if (!form_begin(&form, request))
 *		return;
 *	name = form_text(&form, "name", FORM_REQUIRED, 64);
 *	if (!form_end(&form))
 *		return;
 *
 * Texts are borrowed from the request and live as long as it.
 */
#ifndef WEB_FORM_H
#define WEB_FORM_H

#include "web/request.h"

enum form_need { FORM_OPTIONAL, FORM_REQUIRED };

struct form {
	struct request *request;
	json_t *rest; /* fields nobody has asked for yet */
	json_t *errors;
	bool failed; /* out of memory */
};

/* False: the request has been answered (415, 400, 503). */
bool form_begin(struct form *form, struct request *request);
/* False: the request has been answered (422). */
bool form_end(struct form *form);

/* Whether a field was sent. */
bool form_has(const struct form *form, const char *name);
void form_error(struct form *form, const char *field, const char *message);

/* NULL if it was not sent, is null, or is wrong. No NUL can be in it. */
const char *form_text(struct form *form, const char *name, enum form_need need,
		      size_t max);
bool form_bool(struct form *form, const char *name, bool otherwise);
int64_t form_number(struct form *form, const char *name, enum form_need need,
		    int64_t min, int64_t max);
/* For fields an answer of ours holds, that mean nothing when sent back. */
void form_ignore(struct form *form, const char *name);

/* One of words, ended by NULL: its place, or otherwise if it was not sent (-1:
 * required). */
int form_choice(struct form *form, const char *name, const char *const *words,
		int otherwise);

#endif
