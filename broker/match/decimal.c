#include "broker/match/decimal.h"

/* Large enough for any sum with a length to stay within int64_t. */
#define EXPONENT_MAX INT64_C(1000000000000000)

static bool is_digit(const uint8_t *at, const uint8_t *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
	while (is_digit(at, end))
		at++;
	return at;
}

/* "e+12"; NULL if it is malformed. */
static const uint8_t *take_exponent(const uint8_t *at, const uint8_t *end,
				    int64_t *exponent)
{
	bool negative = false;

	at++;
	if (at < end && (*at == '+' || *at == '-'))
		negative = *at++ == '-';
	if (!is_digit(at, end))
		return NULL;
	for (; is_digit(at, end); at++)
		if (*exponent < EXPONENT_MAX)
			*exponent = *exponent * 10 + (*at - '0');
	if (*exponent > EXPONENT_MAX)
		*exponent = EXPONENT_MAX;
	if (negative)
		*exponent = -*exponent;
	return at;
}

/* The mantissa from start to end has its point at that place. */
static void scale(struct decimal *out, const uint8_t *start,
		  const uint8_t *point, const uint8_t *end)
{
	const uint8_t *first = start;

	while (first < end && (*first == '0' || *first == '.'))
		first++;
	out->digits = slice_of(first, (size_t)(end - first));
	if (first == end)
		out->negative = false;
	else if (first < point)
		out->scale += point - first;
	else
		out->scale -= first - point - 1;
}

bool decimal_parse(struct slice text, struct decimal *out)
{
	const uint8_t *at = text.data;
	const uint8_t *end = text.len ? at + text.len : at;
	const uint8_t *start, *point;

	*out = (struct decimal){ .negative = at < end && *at == '-' };
	if (out->negative)
		at++;
	if (!is_digit(at, end))
		return false;
	start = at;
	point = at = *at == '0' ? at + 1 : skip_digits(at, end);
	if (at < end && *at == '.') {
		at++;
		if (!is_digit(at, end))
			return false;
		at = skip_digits(at, end);
	}
	scale(out, start, point, at);
	if (at < end && (*at == 'e' || *at == 'E')) {
		int64_t exponent = 0;

		at = take_exponent(at, end, &exponent);
		if (!at)
			return false;
		out->scale += exponent;
	}
	return at == end;
}

/* The next digit, and 0 for ever after the last. */
static int next_digit(struct slice *digits)
{
	int digit = 0;

	if (digits->len && *digits->data == '.')
		*digits = slice_of(digits->data + 1, digits->len - 1);
	if (digits->len) {
		digit = *digits->data - '0';
		*digits = slice_of(digits->data + 1, digits->len - 1);
	}
	return digit;
}

static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
	struct slice in_a = a->digits, in_b = b->digits;

	if (!in_a.len || !in_b.len)
		return (in_a.len > 0) - (in_b.len > 0);
	if (a->scale != b->scale)
		return a->scale < b->scale ? -1 : 1;
	while (in_a.len || in_b.len) {
		int difference = next_digit(&in_a) - next_digit(&in_b);

		if (difference)
			return difference;
	}
	return 0;
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}
