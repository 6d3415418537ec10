/*
 * A client of libpaho-mqtt3cs for tests/clients/run, which says what an agent
 * reads and writes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTClient.h>

#define TIMEOUT_MS 60000
#define LINE_SIZE 200000

static MQTTClient client;
static int version;

static void fail(const char *what, int code)
{
	fprintf(stderr, "paho-c: %s: %d\n", what, code);
	exit(1);
}

static const char *user_property(MQTTProperties *properties, int *len)
{
	for (int i = 0; i < properties->count; i++) {
		MQTTProperty *p = &properties->array[i];

		if (p->identifier != MQTTPROPERTY_CODE_USER_PROPERTY)
			continue;
		*len = p->value.value.len;
		return p->value.value.data;
	}
	*len = 1;
	return "-";
}

static int on_message(void *context, char *topic, int topic_len,
		      MQTTClient_message *message)
{
	const uint8_t *payload = message->payload;
	int len;
	const char *property = user_property(&message->properties, &len);

	(void)context;
	(void)topic_len;
	flockfile(stdout);
	printf("got %s %d %d ", topic, message->qos, message->retained);
	for (int i = 0; i < message->payloadlen; i++)
		printf("%02x", payload[i]);
	printf(" %.*s\n", len, property);
	fflush(stdout);
	funlockfile(stdout);
	MQTTClient_freeMessage(&message);
	MQTTClient_free(topic);
	return 1;
}

static void connect_client(const char *user, const char *password,
			   const char *ca_file)
{
	MQTTClient_connectOptions old = MQTTClient_connectOptions_initializer;
	MQTTClient_connectOptions new = MQTTClient_connectOptions_initializer5;
	MQTTClient_connectOptions *o = version == 5 ? &new : &old;
	MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
	MQTTResponse response;
	int r;

	ssl.trustStore = ca_file;
	ssl.enableServerCertAuth = 1;
	ssl.verify = 1;
	o->ssl = &ssl;
	o->MQTTVersion = version;
	o->connectTimeout = TIMEOUT_MS / 1000;
	o->username = user[0] ? user : NULL;
	o->password = user[0] ? password : NULL;
	if (version == 5) {
		response = MQTTClient_connect5(client, o, NULL, NULL);
		if (response.reasonCode)
			fail("connect", (int)response.reasonCode);
		MQTTResponse_free(response);
		return;
	}
	o->cleansession = 1;
	r = MQTTClient_connect(client, o);
	if (r)
		fail("connect", r);
}

static void subscribe(const char *topic, int qos)
{
	int r = qos;

	if (version == 5) {
		MQTTResponse response =
			MQTTClient_subscribe5(client, topic, qos, NULL, NULL);

		r = (int)response.reasonCode;
		MQTTResponse_free(response);
	} else if (MQTTClient_subscribe(client, topic, qos)) {
		r = -1;
	}
	if (r != qos)
		fail(topic, r);
}

static void publish(const char *name, const char *topic, int qos, void *payload,
		    int len)
{
	MQTTClient_message message = MQTTClient_message_initializer;
	MQTTClient_deliveryToken token;
	char key[] = "from", value[64];
	MQTTProperty property = {
		.identifier = MQTTPROPERTY_CODE_USER_PROPERTY,
	};
	int r;

	message.payload = payload;
	message.payloadlen = len;
	message.qos = qos;
	if (version == 5) {
		MQTTResponse response;

		snprintf(value, sizeof(value), "%s", name);
		property.value.data.data = key;
		property.value.data.len = (int)strlen(key);
		property.value.value.data = value;
		property.value.value.len = (int)strlen(value);
		MQTTProperties_add(&message.properties, &property);
		response = MQTTClient_publishMessage5(client, topic, &message,
						      &token);
		r = (int)response.reasonCode;
		MQTTResponse_free(response);
		MQTTProperties_free(&message.properties);
	} else {
		r = MQTTClient_publishMessage(client, topic, &message, &token);
	}
	if (r)
		fail("publish", r);
	r = MQTTClient_waitForCompletion(client, token, TIMEOUT_MS);
	if (r)
		fail("acknowledgement", r);
	flockfile(stdout);
	puts("sent");
	fflush(stdout);
	funlockfile(stdout);
}

static int from_hex(char *text)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], 0 };

		text[i] = (char)strtoul(digits, NULL, 16);
	}
	return (int)len;
}

/* NAME VERSION URI USER PASSWORD TOPIC-PREFIX */
int main(int argc, char **argv)
{
	static char line[LINE_SIZE];
	MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
	int r;

	if (argc != 8)
		fail("arguments", argc);
	version = (int)strtol(argv[2], NULL, 10);
	create.MQTTVersion = version;
	r = MQTTClient_createWithOptions(&client, argv[3], argv[1],
					 MQTTCLIENT_PERSISTENCE_NONE, NULL,
					 &create);
	if (r)
		fail(argv[3], r);
	r = MQTTClient_setCallbacks(client, NULL, NULL, on_message, NULL);
	if (r)
		fail("callbacks", r);
	connect_client(argv[4], argv[5], argv[7]);
	for (int qos = 0; qos <= 2; qos++) {
		char topic[128];

		snprintf(topic, sizeof(topic), "%s/%d", argv[6], qos);
		subscribe(topic, qos);
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char *rest = line;
		char *topic = strsep(&rest, " \n");
		char *qos = strsep(&rest, " \n");
		char *hex = strsep(&rest, " \n");

		if (!qos)
			fail("line", 0);
		if (hex && !*hex)
			hex = NULL;
		publish(argv[1], topic, (int)strtol(qos, NULL, 10),
			hex ? hex : line, hex ? from_hex(hex) : 0);
	}
	MQTTClient_disconnect(client, 1000);
	MQTTClient_destroy(&client);
	return 0;
}
