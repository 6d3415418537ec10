#include "broker/wire/reason.h"

#include <stddef.h>

static const char *const names[] = {
	[MQTT_SUCCESS] = "Success",
	[MQTT_GRANTED_QOS_1] = "Granted QoS 1",
	[MQTT_GRANTED_QOS_2] = "Granted QoS 2",
	[MQTT_DISCONNECT_WITH_WILL] = "Disconnect with Will Message",
	[MQTT_NO_MATCHING_SUBSCRIBERS] = "No matching subscribers",
	[MQTT_NO_SUBSCRIPTION_EXISTED] = "No subscription existed",
	[MQTT_CONTINUE_AUTHENTICATION] = "Continue authentication",
	[MQTT_REAUTHENTICATE] = "Re-authenticate",
	[MQTT_UNSPECIFIED_ERROR] = "Unspecified error",
	[MQTT_MALFORMED_PACKET] = "Malformed Packet",
	[MQTT_PROTOCOL_ERROR] = "Protocol Error",
	[MQTT_IMPLEMENTATION_SPECIFIC_ERROR] = "Implementation specific error",
	[MQTT_UNSUPPORTED_PROTOCOL_VERSION] = "Unsupported Protocol Version",
	[MQTT_CLIENT_IDENTIFIER_NOT_VALID] = "Client Identifier not valid",
	[MQTT_BAD_USER_NAME_OR_PASSWORD] = "Bad User Name or Password",
	[MQTT_NOT_AUTHORIZED] = "Not authorized",
	[MQTT_SERVER_UNAVAILABLE] = "Server unavailable",
	[MQTT_SERVER_BUSY] = "Server busy",
	[MQTT_BANNED] = "Banned",
	[MQTT_SERVER_SHUTTING_DOWN] = "Server shutting down",
	[MQTT_BAD_AUTHENTICATION_METHOD] = "Bad authentication method",
	[MQTT_KEEP_ALIVE_TIMEOUT] = "Keep Alive timeout",
	[MQTT_SESSION_TAKEN_OVER] = "Session taken over",
	[MQTT_TOPIC_FILTER_INVALID] = "Topic Filter invalid",
	[MQTT_TOPIC_NAME_INVALID] = "Topic Name invalid",
	[MQTT_PACKET_IDENTIFIER_IN_USE] = "Packet Identifier in use",
	[MQTT_PACKET_IDENTIFIER_NOT_FOUND] = "Packet Identifier not found",
	[MQTT_RECEIVE_MAXIMUM_EXCEEDED] = "Receive Maximum exceeded",
	[MQTT_TOPIC_ALIAS_INVALID] = "Topic Alias invalid",
	[MQTT_PACKET_TOO_LARGE] = "Packet too large",
	[MQTT_MESSAGE_RATE_TOO_HIGH] = "Message rate too high",
	[MQTT_QUOTA_EXCEEDED] = "Quota exceeded",
	[MQTT_ADMINISTRATIVE_ACTION] = "Administrative action",
	[MQTT_PAYLOAD_FORMAT_INVALID] = "Payload format invalid",
	[MQTT_RETAIN_NOT_SUPPORTED] = "Retain not supported",
	[MQTT_QOS_NOT_SUPPORTED] = "QoS not supported",
	[MQTT_USE_ANOTHER_SERVER] = "Use another server",
	[MQTT_SERVER_MOVED] = "Server moved",
	[MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED] =
		"Shared Subscriptions not supported",
	[MQTT_CONNECTION_RATE_EXCEEDED] = "Connection rate exceeded",
	[MQTT_MAXIMUM_CONNECT_TIME] = "Maximum connect time",
	[MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED] =
		"Subscription Identifiers not supported",
	[MQTT_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED] =
		"Wildcard Subscriptions not supported",
};

const char *reason_name(enum mqtt_reason reason)
{
	size_t i = (size_t)reason;

	return i < sizeof(names) / sizeof(names[0]) && names[i]
		       ? names[i]
		       : "unknown reason";
}

uint8_t reason_to_connack3(enum mqtt_reason reason)
{
	unsigned int code = (unsigned int)reason;

	if (code < MQTT_UNSPECIFIED_ERROR)
		return 0;
	/* Not a switch: -Wswitch-enum would want all 43 spelt out. */
	if (code == MQTT_UNSUPPORTED_PROTOCOL_VERSION)
		return 1;
	if (code == MQTT_CLIENT_IDENTIFIER_NOT_VALID)
		return 2;
	if (code == MQTT_BAD_USER_NAME_OR_PASSWORD)
		return 4;
	if (code == MQTT_UNSPECIFIED_ERROR || code == MQTT_SERVER_UNAVAILABLE ||
	    code == MQTT_SERVER_BUSY || code == MQTT_SERVER_SHUTTING_DOWN ||
	    code == MQTT_QUOTA_EXCEEDED || code == MQTT_USE_ANOTHER_SERVER ||
	    code == MQTT_SERVER_MOVED || code == MQTT_CONNECTION_RATE_EXCEEDED)
		return 3;
	/* The rest is refused for what it is: trying again will not help. */
	return 5;
}
