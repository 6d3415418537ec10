#include "ctl/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of the printable character at the front of text, 0 if there is none. */
static size_t printable(const unsigned char *text, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		unsigned int min;
	} forms[] = { { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	for (size_t n = 0; n < 3; n++) {
		unsigned int c = text[0] & (unsigned int)~forms[n].mask;

		if ((text[0] & forms[n].mask) != forms[n].lead)
			continue;
		if (len < n + 2)
			return 0;
		for (size_t i = 1; i < n + 2; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (text[i] & 0x3f);
		}
		/* Overlong, surrogates, past Unicode, C1 controls, and the
		 * marks that reverse the direction of what follows. */
		if (c < forms[n].min || c > 0x10ffff || c < 0xa0 ||
		    (c >= 0xd800 && c < 0xe000) ||
		    (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069))
			return 0;
		return n + 2;
	}

	return 0;
}

void text_print(FILE *out, const char *text, size_t len)
{
	while (len > 0) {
		const unsigned char *bytes = (const unsigned char *)text;
		size_t n = printable(bytes, len);

		if (n > 0) {
			fwrite(text, 1, n, out);
		} else {
			fprintf(out, "\\x%02X", bytes[0]);
			n = 1;
		}
		text += n;
		len -= n;
	}
}

size_t text_width(const char *text, size_t len)
{
	size_t width = 0;

	while (len > 0) {
		size_t n = printable((const unsigned char *)text, len);

		width += n > 0 ? 1 : 4;
		n += n == 0;
		text += n;
		len -= n;
	}

	return width;
}

void text_time(char out[TEXT_TIME_SIZE], long long ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char day[24];

	if (ms < 0 || !gmtime_r(&seconds, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(out, TEXT_TIME_SIZE, "-");
	else
		snprintf(out, TEXT_TIME_SIZE, "%s.%03dZ", day,
			 (int)(ms % 1000));
}

/* "15m": so long before now. */
static int parse_ago(const char *text, long long now, long long *out)
{
	static const char units[] = "smhd";
	static const long long ms[] = { 1000, 60000, 3600000, 86400000 };
	size_t digits = strspn(text, "0123456789");
	const char *unit;

	if (digits == 0 || digits > 6 || !text[digits] || text[digits + 1])
		return -EINVAL;
	unit = strchr(units, text[digits]);
	if (!unit)
		return -EINVAL;
	*out = now - strtoll(text, NULL, 10) * ms[unit - units];

	return 0;
}

int text_parse_time(const char *text, long long now, long long *out)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M",
					       "%Y-%m-%dT%H:%M:%S" };

	if (parse_ago(text, now, out) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, formats[i], &tm);

		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		*out = (long long)timegm(&tm) * 1000;
		return 0;
	}

	return -EINVAL;
}

struct row {
	struct row *next;
	char *cells[TABLE_COLUMNS_MAX];
};

struct table {
	size_t columns;
	struct row *first;
	struct row **end;
};

struct table *table_new(const char *const *head)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->end = &table->first;
	while (head[table->columns])
		table->columns++;
	if (table_add(table, head)) {
		free(table);
		return NULL;
	}

	return table;
}

static void row_free(struct row *row)
{
	for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		free(row->cells[i]);
	free(row);
}

int table_add(struct table *table, const char *const *cells)
{
	struct row *row = calloc(1, sizeof(*row));

	if (!row)
		return -ENOMEM;
	for (size_t i = 0; i < table->columns; i++) {
		row->cells[i] = strdup(cells[i]);
		if (!row->cells[i]) {
			row_free(row);
			return -ENOMEM;
		}
	}
	*table->end = row;
	table->end = &row->next;

	return 0;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (const struct row *row = table->first; row; row = row->next) {
		const char *cell = row->cells[column];
		size_t w = text_width(cell, strlen(cell));

		if (w > width)
			width = w;
	}

	return width;
}

void table_print(const struct table *table, FILE *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (const struct row *row = table->first; row; row = row->next) {
		for (size_t i = 0; i < table->columns; i++) {
			const char *cell = row->cells[i];
			size_t len = strlen(cell);

			text_print(out, cell, len);
			if (i + 1 < table->columns)
				fprintf(out, "%*s",
					(int)(widths[i] -
					      text_width(cell, len)) +
						2,
					"");
		}
		putc('\n', out);
	}
}

void table_free(struct table *table)
{
	struct row *row;

	if (!table)
		return;
	while ((row = table->first)) {
		table->first = row->next;
		row_free(row);
	}
	free(table);
}
