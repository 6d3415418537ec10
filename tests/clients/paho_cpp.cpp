/*
 * A client of Paho C++ for tests/clients/run, which says what an agent reads and
 * writes. Arguments: NAME VERSION URI USER PASSWORD TOPIC-PREFIX CA-FILE
 */
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

#include <mqtt/async_client.h>

static const std::chrono::seconds timeout(60);
static std::mutex output;

static void say(const std::string &text)
{
	std::lock_guard<std::mutex> guard(output);

	std::cout << text << std::endl;
}

static std::string hex(const std::string &bytes)
{
	static const char digits[] = "0123456789abcdef";
	std::string text;

	for (unsigned char byte : bytes) {
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text;
}

static std::string from_hex(const std::string &text)
{
	std::string bytes;

	for (std::size_t at = 0; at + 1 < text.size(); at += 2)
		bytes += static_cast<char>(
			std::stoi(text.substr(at, 2), nullptr, 16));
	return bytes;
}

static void on_message(mqtt::const_message_ptr message)
{
	const mqtt::properties &properties = message->get_properties();
	std::string from = "-";

	if (properties.contains(mqtt::property::USER_PROPERTY))
		from = std::get<1>(mqtt::get<mqtt::string_pair>(
			properties, mqtt::property::USER_PROPERTY));
	say("got " + message->get_topic() + " " +
	    std::to_string(message->get_qos()) + " " +
	    std::to_string(message->is_retained()) + " " +
	    hex(message->get_payload_str()) + " " + from);
}

static mqtt::connect_options options(char **argv, int version)
{
	mqtt::connect_options_builder builder;
	const std::string uri = argv[3], user = argv[4];

	builder.mqtt_version(version).connect_timeout(timeout);
	if (version == 5)
		builder.clean_start(true);
	else
		builder.clean_session(true);
	if (!user.empty())
		builder.user_name(user).password(std::string(argv[5]));
	if (uri.rfind("ssl:", 0) == 0 || uri.rfind("wss:", 0) == 0)
		builder.ssl(mqtt::ssl_options_builder()
				    .trust_store(argv[7])
				    .enable_server_cert_auth(true)
				    .verify(true)
				    .finalize());
	return builder.finalize();
}

static void wait(mqtt::token_ptr token, const char *what)
{
	if (!token->wait_for(timeout))
		throw std::runtime_error(std::string(what) + ": no answer");
}

static void publish(mqtt::async_client &client, const std::string &line,
		    int version, const char *name)
{
	std::istringstream words(line);
	std::string topic, payload;
	mqtt::message_ptr message;
	int qos;

	words >> topic >> qos >> payload;
	message = mqtt::make_message(topic, from_hex(payload), qos, false);
	if (version == 5) {
		mqtt::properties properties;

		properties.add(mqtt::property(mqtt::property::USER_PROPERTY,
					      "from", name));
		message->set_properties(properties);
	}
	wait(client.publish(message), "publish");
	say("sent");
}

static void talk(char **argv)
{
	const int version = std::atoi(argv[2]);
	mqtt::async_client client(argv[3], argv[1],
				  mqtt::create_options(version));
	std::string line;

	client.set_message_callback(on_message);
	wait(client.connect(options(argv, version)), "connect");
	for (int qos = 0; qos <= 2; qos++) {
		const std::string topic =
			std::string(argv[6]) + "/" + std::to_string(qos);
		mqtt::token_ptr token = client.subscribe(topic, qos);

		wait(token, "subscribe");
		if (token->get_subscribe_response().get_reason_codes().at(0) !=
		    qos)
			throw std::runtime_error("subscribe: another QoS");
	}
	say("ready");
	while (std::getline(std::cin, line))
		publish(client, line, version, argv[1]);
	wait(client.disconnect(), "disconnect");
}

int main(int argc, char **argv)
{
	if (argc != 8)
		return 2;
	try {
		talk(argv);
	} catch (const std::exception &error) {
		std::cerr << "paho-cpp: " << error.what() << std::endl;
		return 1;
	}
	return 0;
}
