/* What the forms of pins and of devices ask alike. */
#ifndef WEB_PIN_FORMS_H
#define WEB_PIN_FORMS_H

#include <jansson.h>
#include <stdbool.h>

struct form;
struct pin_errors;
struct pins;
struct request;

/*
 * All pins and devices of the board that the query names, which is in
 * request->gpio then; to be freed by free(). NULL: there are none to be had, and
 * that is answered; what: what was to be done ("Listing the pins").
 */
struct pins *pin_forms_load(struct request *request, const char *what);
/*
 * The same, and what was sent for the pin or device that the path names; a bad name
 * is a mistake in the form. NULL: answered, and the form is not begun.
 */
struct pins *pin_forms_begin(struct request *request, struct form *form,
			     const char *what);

/*
 * What stays of all that is set (taken) until the form says otherwise: everything,
 * or, if it becomes something else, the members named in shared, which ends with
 * NULL. NULL, as all was: out of memory.
 */
json_t *pin_forms_keep(json_t *all, bool becomes_other,
		       const char *const *shared);
/* What was sent, into kept (taken, and given back), under this name. */
json_t *pin_forms_merge(struct form *form, json_t *kept, const char *name);
/* Everything in the form has been looked at, and this was found. */
void pin_forms_judged(struct form *form, const struct pin_errors *errors);

/*
 * Would all pins and devices agree with each other? What would not is told: as a
 * mistake in the form, where it is of the one called name, or (false, the form is
 * given up) as whom it would leave behind. form may be NULL. A line of another
 * pin is found by pin_table_store().
 */
bool pin_forms_agree(struct request *request, struct form *form,
		     struct pins *pins, const char *name);

#endif
