/* What the forms of pins and of devices ask alike. */
#ifndef WEB_PIN_FORMS_H
#define WEB_PIN_FORMS_H

#include <stdbool.h>

struct form;
struct pins;
struct request;

/* In a path, and in a topic that people type. */
bool pin_forms_name_valid(const char *name);

/*
 * Would all pins and devices agree with each other? What would not is told: as a
 * mistake in the form, where it is of the one called name, or (false, the form is
 * given up) as whom it would leave behind. form may be NULL. A line of another
 * pin is found by pin_table_store().
 */
bool pin_forms_agree(struct request *request, struct form *form,
		     struct pins *pins, const char *name);

#endif
