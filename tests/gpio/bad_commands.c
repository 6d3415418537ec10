#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gpio/topics.h"
#include "tests/gpio/bad_dice.h"
#include "tests/gpio/bad_pins.h"

static const char *const words[] = {
	"MAYBE",
	"ONN",
	"O",
	"2",
	"-1",
	"00",
	"ON OFF",
	"nil",
	"0x1",
	"1.0",
	"T\xc3\x96GGLE",
	"\xff\xfe",
	"\"ON",
	"'ON'",
	"ON,",
	"+",
	"{ON}",
	"NaN",
	"Infinity",
	"TRUE!",
	"On\x01",
	".",
};

/* Members beside "state":"ON". */
static const char *const members[] = {
	"\"on_time\":0",
	"\"on_time\":-1",
	"\"on_time\":604801",
	"\"on_time\":1e300",
	"\"on_time\":\"5\"",
	"\"on_time\":null",
	"\"on_time\":9223372036854775807",
	"\"on_time\":[5]",
	"\"on_time\":true",
	"\"lease\":0",
	"\"lease\":-0.5",
	"\"lease\":1e9",
	"\"lease\":{}",
	"\"lease\":false",
	"\"id\":1.5",
	"\"id\":true",
	"\"id\":[1]",
	"\"id\":null",
	"\"state\":\"ON\"",
	"\"brightness\":300",
	"\"transition\":1",
	"\"onTime\":5",
	"\"\":1",
	"\"\\u0000\":1",
	"\"a\":\"\xc3\"",
	"\"a\":99999999999999999999999",
};

static const char *const states[] = {
	"null", "2",   "-1",	      "\"on please\"", "[]",  "{}",
	"\"\"", "1.0", "\"\\u0000\"", "\"ON\\u0000\"", "0.0", "1e0",
};

static void set(struct bad_command *out, const char *mistake, const char *text)
{
	out->mistake = mistake;
	out->len = strlen(text);
	assert(out->len <= sizeof(out->bytes));
	memcpy(out->bytes, text, out->len);
}

static void state(uint64_t *dice, struct bad_command *out)
{
	char text[64];

	(void)snprintf(
		text, sizeof(text), "{\"state\":%s}",
		states[dice_roll(dice, sizeof(states) / sizeof(states[0]))]);
	set(out, "state", text);
}

static void member(uint64_t *dice, struct bad_command *out)
{
	char text[128];

	(void)snprintf(
		text, sizeof(text), "{\"state\":\"%s\",%s}",
		dice_roll(dice, 2) ? "ON" : "toggle",
		members[dice_roll(dice, sizeof(members) / sizeof(members[0]))]);
	set(out, "member", text);
}

static void cut(uint64_t *dice, struct bad_command *out)
{
	static const char whole[] =
		"{\"state\":\"ON\",\"on_time\":300,\"id\":\"x\"}";

	set(out, "cut off", whole);
	out->len = 1 + dice_roll(dice, out->len - 1);
}

static void too_long(uint64_t *dice, struct bad_command *out)
{
	set(out, "too long", "{\"state\":\"ON\"}");
	out->len = COMMAND_MAX + 1 +
		   dice_roll(dice, sizeof(out->bytes) - COMMAND_MAX - 1);
	memset(out->bytes + 13, ' ', out->len - 14);
	out->bytes[out->len - 1] = '}';
}

static void deep(uint64_t *dice, struct bad_command *out)
{
	out->mistake = "deep";
	out->len = 1 + dice_roll(dice, sizeof(out->bytes) - 1);
	memset(out->bytes, '[', out->len);
}

static void long_id(uint64_t *dice, struct bad_command *out)
{
	int len = (int)(COMMAND_ID_MAX + 1 + dice_roll(dice, 300));

	out->mistake = "long id";
	out->len =
		(size_t)snprintf(out->bytes, sizeof(out->bytes),
				 "{\"state\":\"ON\",\"id\":\"%0*d\"}", len, 7);
}

/* No letter nor digit first: no word and no object. */
static void noise(uint64_t *dice, struct bad_command *out)
{
	out->mistake = "noise";
	out->len = 1 + dice_roll(dice, 300);
	for (size_t i = 0; i < out->len; i++)
		out->bytes[i] = (char)dice_next(dice);
	out->bytes[0] = (char)(0x80 + dice_roll(dice, 0x80));
}

void bad_command_make(uint64_t seed, struct bad_command *out)
{
	uint64_t dice = seed;

	switch (seed % 8) {
	case 0:
		set(out, "word",
		    words[dice_roll(&dice, sizeof(words) / sizeof(words[0]))]);
		return;
	case 1:
		state(&dice, out);
		return;
	case 2:
		member(&dice, out);
		return;
	case 3:
		cut(&dice, out);
		return;
	case 4:
		too_long(&dice, out);
		return;
	case 5:
		deep(&dice, out);
		return;
	case 6:
		long_id(&dice, out);
		return;
	default:
		noise(&dice, out);
		return;
	}
}
