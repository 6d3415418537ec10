/* Between an encoder and a decoder, for tests of packets. */
#ifndef TESTS_WIRE_PACKETS_H
#define TESTS_WIRE_PACKETS_H

#include "broker/wire/framing.h"
#include "broker/wire/reason.h"
#include "broker/wire/writer.h"
#include "tests/wire/bytes.h"

/* The body of the one packet that w holds, in an allocation of its own size
 * (*copy, to be freed), so that a byte too far is seen. */
static inline struct slice body_of(const struct writer *w,
				   enum mqtt_packet_type type, uint8_t **copy)
{
	struct frame frame;

	assert_false(w->overflow);
	assert_int_equal(framing_next(w->data, w->len, w->len, &frame), 1);
	assert_int_equal(frame.type, type);
	assert_int_equal(frame.size, w->len);
	*copy = exact_copy(frame.body);
	return slice_of(*copy, frame.body.len);
}

static inline void assert_written(const struct writer *w, struct slice wanted)
{
	assert_false(w->overflow);
	assert_slice(slice_of(w->data, w->len), wanted);
}

static inline void assert_reason(const char *what, enum mqtt_reason got,
				 enum mqtt_reason wanted)
{
	if (got != wanted)
		fail_msg("%s: %s instead of %s", what, reason_name(got),
			 reason_name(wanted));
}

#endif
