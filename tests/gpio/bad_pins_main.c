/*
 * Writes down bad configurations or commands for tests in other languages, one a
 * line, the bytes in hexadecimal:
 *
 *	bad_pins configs FIRST COUNT    bytes, then pin, field (- for ""), and the
 *	                                pin alone (- for none), also in hexadecimal
 *	bad_pins commands FIRST COUNT   bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpio/bad_pins.h"

static void put_hex(const char *bytes, size_t len)
{
	if (len == 0)
		(void)putchar('-');
	for (size_t i = 0; i < len; i++)
		(void)printf("%02x", (unsigned char)bytes[i]);
}

static void put_config(uint64_t seed)
{
	static struct bad_config bad;

	bad_config_make(seed, &bad);
	put_hex(bad.bytes, bad.len);
	(void)putchar(' ');
	put_hex(bad.pin, strlen(bad.pin));
	(void)putchar(' ');
	put_hex(bad.field, strlen(bad.field));
	(void)putchar(' ');
	put_hex(bad.alone ? bad.alone : "", bad.alone ? strlen(bad.alone) : 0);
	(void)putchar('\n');
	bad_config_free(&bad);
}

static void put_command(uint64_t seed)
{
	static struct bad_command bad;

	bad_command_make(seed, &bad);
	put_hex(bad.bytes, bad.len);
	(void)putchar('\n');
}

int main(int argc, char **argv)
{
	uint64_t first = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;

	if (count == 0)
		return 2;
	for (uint64_t seed = first; seed < first + count; seed++) {
		if (strcmp(argv[1], "configs") == 0)
			put_config(seed);
		else
			put_command(seed);
	}
	return 0;
}
