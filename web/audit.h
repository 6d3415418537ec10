/*
 * What administrators change is told in the log and kept (db/audit.h), with who
 * it was and from where.
 */
#ifndef WEB_AUDIT_H
#define WEB_AUDIT_H

#include "web/request.h"

/* It has happened, by who asks. */
__attribute__((format(printf, 2, 3))) void audit(struct request *request,
						 const char *format, ...);

#endif
