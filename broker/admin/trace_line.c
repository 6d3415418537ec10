#include "broker/admin/trace_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "broker/base/clock.h"
#include "broker/wire/subscribe.h"
#include "broker/wire/utf8.h"

void trace_line_begin(struct trace_line *line)
{
	const int64_t now = clock_wall_ms();
	const time_t seconds = (time_t)(now / 1000);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	line->len = strftime(line->text, TRACE_LINE, "%Y-%m-%dT%H:%M:%S", &tm);
	trace_line_add(line, ".%03dZ ", (int)(now % 1000));
}

/* One byte is kept for the line feed. */
static size_t room(const struct trace_line *line)
{
	return TRACE_LINE - 1 - line->len;
}

void trace_line_add(struct trace_line *line, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room(line), format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n < room(line))
		line->len += (size_t)n;
	else if (room(line) > 0) /* cut; vsnprintf() has ended it with a NUL */
		line->len += room(line) - 1;
}

static void add_hex(struct trace_line *line, struct slice bytes)
{
	trace_line_add(line, "0x");
	for (size_t i = 0; i < bytes.len; i++)
		trace_line_add(line, "%02x", bytes.data[i]);
}

static void add_escaped(struct trace_line *line, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			trace_line_add(line, "\\x%02x", text.data[i]);
		else
			trace_line_add(line, "%c", text.data[i]);
	}
}

/* Where a text may be cut without cutting a character. */
static size_t cut(struct slice text, size_t max)
{
	if (text.len <= max)
		return text.len;
	while (max > 0 && (text.data[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void trace_line_text(struct trace_line *line, struct slice text)
{
	const size_t len = cut(text, TRACE_PAYLOAD);
	const struct slice shown = slice_of(text.data, len);

	if (utf8_valid(shown))
		add_escaped(line, shown);
	else
		add_hex(line, slice_of(text.data, text.len < TRACE_PAYLOAD / 2
							  ? text.len
							  : TRACE_PAYLOAD / 2));
	if (len < text.len)
		trace_line_add(line, "...");
}

void trace_line_end(struct trace_line *line)
{
	line->text[line->len++] = '\n';
}

void trace_line_connect(struct trace_line *line,
			const struct mqtt_connect *packet)
{
	trace_line_add(line, "CONNECT MQTT %s%s keep-alive %u",
		       packet->version == MQTT_5_0     ? "5.0"
		       : packet->version == MQTT_3_1_1 ? "3.1.1"
						       : "3.1",
		       packet->clean_start ? " clean" : "", packet->keep_alive);
	if (packet->has_username) {
		trace_line_add(line, " user ");
		trace_line_text(line, packet->username);
	}
	if (packet->has_password)
		trace_line_add(line, " password given");
	if (packet->has_will) {
		trace_line_add(line, " will ");
		trace_line_publish(line,
				   &(struct mqtt_publish){
					   .topic = packet->will.topic,
					   .payload = packet->will.payload,
					   .qos = packet->will.qos,
					   .retain = packet->will.retain,
				   });
	}
}

void trace_line_publish(struct trace_line *line,
			const struct mqtt_publish *packet)
{
	trace_line_add(line, "PUBLISH qos %u%s%s", packet->qos,
		       packet->retain ? " retain" : "",
		       packet->dup ? " dup" : "");
	if (packet->packet_id)
		trace_line_add(line, " id %u", packet->packet_id);
	trace_line_add(line, " ");
	trace_line_text(line, packet->topic);
	trace_line_add(line, " %zu bytes: ", packet->payload.len);
	trace_line_text(line, packet->payload);
}

static void add_filters(struct trace_line *line, enum mqtt_version version,
			const struct frame *frame)
{
	const bool subscribe = frame->type == MQTT_SUBSCRIBE;
	struct mqtt_subscription entry;
	struct mqtt_subscribe packet;

	if ((subscribe ? subscribe_decode(version, frame->body, &packet)
		       : unsubscribe_decode(version, frame->body, &packet)) !=
	    MQTT_SUCCESS) {
		trace_line_add(line, " malformed");
		return;
	}
	trace_line_add(line, " id %u", packet.packet_id);
	while (subscribe ? subscribe_next(version, &packet.entries, &entry)
			 : unsubscribe_next(&packet.entries, &entry.filter)) {
		trace_line_add(line, " ");
		trace_line_text(line, entry.filter);
		if (subscribe)
			trace_line_add(line, " qos %u", entry.qos);
	}
}

static void add_ack(struct trace_line *line, enum mqtt_version version,
		    const struct frame *frame)
{
	struct mqtt_ack ack;

	if (ack_decode(version, frame->type, frame->body, &ack) != MQTT_SUCCESS)
		trace_line_add(line, " malformed");
	else
		trace_line_add(line, " id %u 0x%02x", ack.packet_id,
			       (unsigned int)ack.reason);
}

static void add_publish(struct trace_line *line, enum mqtt_version version,
			const struct frame *frame)
{
	struct mqtt_publish packet;

	if (publish_decode(version, frame->flags, frame->body, &packet) !=
	    MQTT_SUCCESS)
		trace_line_add(line, "PUBLISH malformed");
	else
		trace_line_publish(line, &packet);
}

static void add_suback(struct trace_line *line, enum mqtt_version version,
		       const struct frame *frame)
{
	struct mqtt_suback packet;

	if (suback_decode(version, frame->type, frame->body, &packet) !=
	    MQTT_SUCCESS)
		return;
	trace_line_add(line, " id %u ", packet.packet_id);
	add_hex(line, packet.reasons);
}

void trace_line_packet(struct trace_line *line, enum mqtt_version version,
		       const struct frame *frame)
{
	if (frame->type != MQTT_PUBLISH)
		trace_line_add(line, "%s", framing_type_name(frame->type));
	switch (frame->type) {
	case MQTT_PUBLISH:
		add_publish(line, version, frame);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		add_ack(line, version, frame);
		break;
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		add_filters(line, version, frame);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		add_suback(line, version, frame);
		break;
	case MQTT_CONNACK:
		if (frame->body.len >= 2)
			trace_line_add(line, "%s 0x%02x",
				       frame->body.data[0] & 1
					       ? " session present"
					       : "",
				       frame->body.data[1]);
		break;
	case MQTT_DISCONNECT:
		trace_line_add(line, " 0x%02x",
			       frame->body.len ? frame->body.data[0] : 0u);
		break;
	case MQTT_CONNECT: /* see trace_line_connect() */
	case MQTT_PINGREQ:
	case MQTT_PINGRESP:
	case MQTT_AUTH: /* what it carries is nobody's business */
		break;
	}
}
