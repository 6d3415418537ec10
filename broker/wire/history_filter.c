#include "broker/wire/history_filter.h"

#include <errno.h>

#include "broker/wire/topic.h"

static const char history_prefix[] = "$history/";
static const char share_prefix[] = "$share/";
static const char match_prefix[] = "$match/";

/* Text being read; at is where an error is told to be. */
struct scan {
	struct slice text;
	size_t at;
	struct history_error *error;
};

static int refuse(const struct scan *scan, const char *why)
{
	*scan->error = (struct history_error){ scan->at + 1, why };
	return -EINVAL;
}

static bool begins(struct slice text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* What stands behind a prefix and one level. */
static struct slice behind(struct slice text, const char *prefix)
{
	struct slice level;

	if (!begins(text, prefix))
		return text;
	text = slice_of(text.data + strlen(prefix), text.len - strlen(prefix));
	topic_take_level(&text, &level);
	return text;
}

bool history_filter_meant(struct slice text)
{
	return begins(behind(behind(text, share_prefix), match_prefix),
		      history_prefix);
}

static struct slice rest_of(const struct scan *scan)
{
	return slice_of(scan->text.data + scan->at, scan->text.len - scan->at);
}

/* Up to the next slash, which must be there, and past it. */
static bool take_level(struct scan *scan, struct slice *level)
{
	struct slice rest = rest_of(scan);

	if (!topic_take_level(&rest, level))
		return false;
	scan->at += level->len + 1;
	return true;
}

/* ---- numbers and times -------------------------------------------------- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool all_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.data[i]))
			return false;
	return text.len > 0;
}

/* False above most. */
static bool number(struct slice digits, uint32_t most, uint32_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		value = value * 10 + (uint64_t)(digits.data[i] - '0');
		if (value > most)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

/* A time as it is written, taken apart from the left. */
struct reading {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static void expect(struct reading *r, const char *set)
{
	if (r->at < r->end && *r->at && strchr(set, *r->at))
		r->at++;
	else
		r->bad = true;
}

static int32_t field(struct reading *r, size_t digits, int32_t least,
		     int32_t most)
{
	int32_t value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (r->bad || r->at == r->end || !is_digit(*r->at)) {
			r->bad = true;
			return least;
		}
		value = value * 10 + (*r->at++ - '0');
	}
	if (value < least || value > most)
		r->bad = true;
	return value;
}

static bool leap_year(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t days_of(int32_t year, int32_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && leap_year(year));
}

/* Days from 1970-01-01; year is 1970 or later. */
static int64_t day_number(int32_t year, int32_t month, int32_t day)
{
	const int64_t y = year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

	for (int32_t m = 1; m < month; m++)
		days += days_of(year, m);
	return days + day - 1;
}

/* ".25" is 250 ms; digits behind the third are there and do not count. */
static int32_t fraction(struct reading *r)
{
	int32_t unit = 100;
	int32_t ms = 0;

	if (r->at == r->end || *r->at != '.')
		return 0;
	r->at++;
	ms = field(r, 1, 0, 9) * unit;
	while (!r->bad && r->at < r->end && is_digit(*r->at)) {
		unit /= 10;
		ms += (*r->at++ - '0') * unit;
	}
	return ms;
}

/* Minutes east of Greenwich. */
static int32_t offset(struct reading *r)
{
	int32_t sign = 1;
	int32_t hours;

	if (r->at < r->end && (*r->at == 'Z' || *r->at == 'z')) {
		r->at++;
		return 0;
	}
	if (r->end - r->at >= 3 && memcmp(r->at, "%2", 2) == 0 &&
	    (r->at[2] == 'B' || r->at[2] == 'b')) {
		r->at += 3;
	} else {
		if (r->at < r->end && *r->at == '-')
			sign = -1;
		expect(r, "+-");
	}
	hours = field(r, 2, 0, 23);
	expect(r, ":");
	return sign * (hours * 60 + field(r, 2, 0, 59));
}

static bool read_time(struct slice text, int64_t *out)
{
	struct reading r = { .at = text.data, .end = text.data + text.len };
	int32_t year = field(&r, 4, 1970, 9999);
	int64_t seconds;
	int32_t month;
	int32_t day;
	int32_t ms;

	expect(&r, "-");
	month = field(&r, 2, 1, 12);
	expect(&r, "-");
	day = field(&r, 2, 1, 31);
	if (r.bad || day > days_of(year, month))
		return false;
	seconds = day_number(year, month, day) * 86400;
	expect(&r, "Tt");
	seconds += field(&r, 2, 0, 23) * 3600;
	expect(&r, ":");
	seconds += field(&r, 2, 0, 59) * 60;
	expect(&r, ":");
	/* 60 is a leap second: the next minute's first (RFC 3339, 5.6). */
	seconds += field(&r, 2, 0, 60);
	ms = fraction(&r);
	seconds -= (int64_t)offset(&r) * 60;
	*out = seconds * 1000 + ms;
	return !r.bad && r.at == r.end && *out >= 0;
}

/* ---- the whole ---------------------------------------------------------- */

static int read_last(struct scan *scan, struct slice argument,
		     uint32_t last_most, struct history_filter *out)
{
	out->start = HISTORY_LAST;
	if (!all_digits(argument))
		return refuse(scan, "last/ is followed by a number");
	if (!number(argument, last_most, &out->count))
		return refuse(scan, "more messages than may be asked for");
	if (out->count == 0)
		return refuse(scan, "at least one message is asked for");
	return 0;
}

static int read_since(struct scan *scan, struct slice argument,
		      struct history_filter *out)
{
	if (all_digits(argument)) {
		out->start = HISTORY_AGO;
		if (!number(argument, HISTORY_SECONDS_MAX, &out->seconds))
			return refuse(scan, "more than ten years");
		return 0;
	}
	out->start = HISTORY_TIME;
	if (!read_time(argument, &out->time))
		return refuse(scan, "since/ is followed by seconds, or a time "
				    "like 2026-11-21T15:30:00Z");
	return 0;
}

/* What must not stand behind the prefix. */
static int check_rest(struct scan *scan)
{
	const struct slice rest = rest_of(scan);

	if (rest.len == 0)
		return refuse(scan, "a topic filter is missing");
	if (begins(rest, history_prefix))
		return refuse(scan, "$history stands there twice");
	if (begins(rest, share_prefix))
		return refuse(scan, "a shared subscription has no history");
	return 0;
}

static int check_front(struct scan *scan)
{
	if (begins(scan->text, share_prefix))
		return refuse(scan, "a shared subscription has no history");
	if (begins(scan->text, match_prefix))
		return refuse(scan, "$history stands before $match");
	return 0;
}

int history_filter_parse(struct slice text, uint32_t last_most,
			 struct history_filter *out,
			 struct history_error *error)
{
	struct scan scan = { .text = text, .error = error };
	struct slice kind, argument;
	struct scan at;
	int r = check_front(&scan);

	*out = (struct history_filter){ 0 };
	if (r < 0)
		return r;
	scan.at = sizeof(history_prefix) - 1;
	at = scan;
	if (!take_level(&scan, &kind) ||
	    (!slice_equal(kind, slice_str("last")) &&
	     !slice_equal(kind, slice_str("since"))))
		return refuse(&at, "$history/ is followed by last/ or since/");
	at = scan;
	if (!take_level(&scan, &argument))
		return refuse(&at, "a topic filter is missing");
	r = kind.len == 4 ? read_last(&at, argument, last_most, out)
			  : read_since(&at, argument, out);
	return r < 0 ? r : check_rest(&scan);
}
