#include "web/audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/wire/utf8.h"
#include "db/audit.h"
#include "web/address.h"

/* A character that was cut in two goes. */
static void end_whole(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !utf8_valid(slice_of(text, len)))
		text[--len] = '\0';
}

void audit(struct request *request, const char *format, ...)
{
	struct db_audit entry = { .time = clock_wall_ms() };
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(entry.what, sizeof(entry.what), format, args);
	va_end(args);
	end_whole(entry.what);
	snprintf(entry.user, sizeof(entry.user), "%s", request->user);
	_Static_assert(sizeof(entry.address) >= ADDRESS_TEXT_SIZE, "fits");
	address_text(request_peer(request), entry.address);
	log_info("web", "%s (%s): %s", entry.user, entry.address, entry.what);
	r = db_audit_add(request->web->config, &entry);
	if (r)
		log_error("web", "this is not kept in the list of changes: %s",
			  strerrordesc_np(-r));
}
