#include "db/backup/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int reason_set(struct reason *reason, int error, const char *format, ...)
{
	va_list args;

	if (reason->text[0])
		return error;
	va_start(args, format);
	(void)vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);

	return error;
}

const char *reason_text(const struct reason *reason, int error)
{
	const char *text = strerrordesc_np(-error);

	if (reason->text[0])
		return reason->text;
	return text ? text : "unknown error";
}
