#include "broker/client/client_connect.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"

static bool text_valid(const char *text, size_t min)
{
	size_t len = strlen(text);

	return len >= min && len <= 65535 && utf8_valid(slice_str(text));
}

static bool options_valid(const struct client_options *o)
{
	if (o->version != MQTT_3_1_1 && o->version != MQTT_5_0)
		return false;
	if (!o->client_id || !text_valid(o->client_id, 0) ||
	    (!o->client_id[0] && !o->clean_start))
		return false;
	if (o->username && !text_valid(o->username, 0))
		return false;
	/* Before 5.0 a password needs a name [MQTT-3.1.2-22]. */
	if (o->password && (strlen(o->password) > 65535 || !o->username))
		return false;
	return !o->will ||
	       (o->will->qos <= 1 && strlen(o->will->topic) <= 65535 &&
		utf8_valid(slice_str(o->will->topic)) &&
		topic_name_valid(slice_str(o->will->topic)) &&
		strlen(o->will->payload) <= 65535);
}

static void fill_connect(struct mqtt_connect *out,
			 const struct client_options *o)
{
	*out = (struct mqtt_connect){
		.version = o->version,
		.clean_start = o->clean_start,
		.keep_alive = o->keep_alive,
		.client_id = slice_str(o->client_id),
	};
	if (o->username) {
		out->has_username = true;
		out->username = slice_str(o->username);
	}
	if (o->password) {
		out->has_password = true;
		out->password = slice_str(o->password);
	}
	if (o->will) {
		out->has_will = true;
		out->will.topic = slice_str(o->will->topic);
		out->will.payload = slice_str(o->will->payload);
		out->will.qos = o->will->qos;
		out->will.retain = o->will->retain;
	}
	if (o->version != MQTT_5_0)
		return;

	out->properties.maximum_packet_size = (uint32_t)CLIENT_PACKET_SIZE;
	properties_set(&out->properties, MQTT_PROP_MAXIMUM_PACKET_SIZE);
	if (o->session_expiry > 0) {
		out->properties.session_expiry_interval = o->session_expiry;
		properties_set(&out->properties,
			       MQTT_PROP_SESSION_EXPIRY_INTERVAL);
	}
}

/* At least what it takes: the texts, and what surrounds them. */
static size_t connect_size(const struct client_options *o)
{
	size_t size = 128 + strlen(o->client_id);

	if (o->username)
		size += strlen(o->username);
	if (o->password)
		size += strlen(o->password);
	if (o->will)
		size += strlen(o->will->topic) + strlen(o->will->payload);
	return size;
}

int client_connect_make(const struct client_options *o, uint8_t **out,
			size_t *len)
{
	struct mqtt_connect *packet;
	struct writer w;
	uint8_t *bytes;
	size_t size;

	if (!options_valid(o))
		return -EINVAL;
	packet = calloc(1, sizeof(*packet));
	if (!packet)
		return -ENOMEM;
	size = connect_size(o);
	bytes = malloc(size);
	if (!bytes) {
		free(packet);
		return -ENOMEM;
	}

	fill_connect(packet, o);
	w = writer_of(bytes, size);
	connect_encode(&w, packet);
	assert(!w.overflow);
	free(packet);
	*out = bytes;
	*len = w.len;
	return 0;
}

void client_server_learn(struct client_server *server,
			 const struct mqtt_properties *from,
			 uint16_t keep_alive)
{
	*server = (struct client_server){
		.receive_maximum = 65535,
		.maximum_packet_size = UINT32_MAX,
		.maximum_qos = 2,
		.retain_available = true,
	};
	if (properties_has(from, MQTT_PROP_RECEIVE_MAXIMUM))
		server->receive_maximum = from->receive_maximum;
	if (properties_has(from, MQTT_PROP_MAXIMUM_PACKET_SIZE))
		server->maximum_packet_size = from->maximum_packet_size;
	if (properties_has(from, MQTT_PROP_MAXIMUM_QOS))
		server->maximum_qos = from->maximum_qos;
	if (properties_has(from, MQTT_PROP_RETAIN_AVAILABLE))
		server->retain_available = from->retain_available;
	if (properties_has(from, MQTT_PROP_SERVER_KEEP_ALIVE))
		keep_alive = from->server_keep_alive;
	server->keep_alive_ms = (uint64_t)keep_alive * 1000;
}

enum mqtt_reason client_server_verdict(const struct client_server *server,
				       size_t size, uint8_t qos, bool retain)
{
	if (qos > server->maximum_qos)
		return MQTT_QOS_NOT_SUPPORTED;
	if (retain && !server->retain_available)
		return MQTT_RETAIN_NOT_SUPPORTED;
	if (size > server->maximum_packet_size)
		return MQTT_PACKET_TOO_LARGE;
	return MQTT_SUCCESS;
}
