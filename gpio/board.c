#include "gpio/board.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Indexed by line, which is the BCM number. */
static const struct board_line header[BOARD_HEADER_LINES] = {
	{ 27, true },  { 28, true },  { 3, true },   { 5, true },
	{ 7, true },   { 29, true },  { 31, true },  { 26, true },
	{ 24, true },  { 21, false }, { 19, false }, { 23, false },
	{ 32, false }, { 33, false }, { 8, false },  { 10, false },
	{ 36, false }, { 11, false }, { 12, false }, { 35, false },
	{ 38, false }, { 40, false }, { 15, false }, { 16, false },
	{ 18, false }, { 22, false }, { 37, false }, { 13, false },
};

const struct board_line *board_line(unsigned int line)
{
	return line < BOARD_HEADER_LINES ? &header[line] : NULL;
}

int board_model(const char *root, char *out, size_t size)
{
	char path[4096];
	FILE *file;
	size_t n;

	if (snprintf(path, sizeof(path), "%s/firmware/devicetree/base/model",
		     root) >= (int)sizeof(path))
		return -ENAMETOOLONG;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fread(out, 1, size - 1, file);
	(void)fclose(file);
	/* The file's own NUL ends it earlier. */
	out[n] = '\0';
	return 0;
}
