#include "gpio/channel_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a chip; the most there are has 16. */
#define NUMBER_MAX 63u

static bool is_part(const char *text)
{
	if (!text[0] || text[0] == '.')
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text == '/' || *text == 0x7f)
			return false;
	return true;
}

bool channel_name_parse(const char *text, unsigned int len,
			struct channel_name *out)
{
	char *colon, *end;
	unsigned long number;

	*out = (struct channel_name){ 0 };
	if (len > CHANNEL_NAME_MAX || len < 5)
		return false;
	out->led = strncmp(text, "led:", 4) == 0;
	if (!out->led && strncmp(text, "pwm:", 4) != 0)
		return false;
	(void)snprintf(out->device, sizeof(out->device), "%.*s", (int)(len - 4),
		       text + 4);
	if (out->led)
		return is_part(out->device);
	colon = strrchr(out->device, ':');
	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	*colon = '\0';
	number = strtoul(colon + 1, &end, 10);
	out->number = (unsigned int)number;
	return !*end && number <= NUMBER_MAX && is_part(out->device);
}

unsigned int channel_names_split(const char *list,
				 struct channel_name out[CHANNEL_NAMES_MAX])
{
	unsigned int count = 0;

	while (*list) {
		unsigned int len = (unsigned int)strcspn(list, " ");

		if (count == CHANNEL_NAMES_MAX ||
		    !channel_name_parse(list, len, &out[count++]))
			return 0;
		list += len;
		/* One space, and something behind it. */
		if (*list && !*++list)
			return 0;
	}
	return count;
}

bool channel_name_same(const struct channel_name *a,
		       const struct channel_name *b)
{
	return a->led == b->led && a->number == b->number &&
	       strcmp(a->device, b->device) == 0;
}
