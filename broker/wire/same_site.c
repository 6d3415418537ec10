#include "broker/wire/same_site.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* The longest DNS name; also bounds the copy that inet_pton() wants. */
#define HOST_MAX 255

static bool text_is(struct slice text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool ends_with(struct slice text, const char *tail)
{
	size_t len = strlen(tail);

	return text.len > len &&
	       text_is(slice_of(text.data + text.len - len, len), tail);
}

static bool is_port(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.len > 0 && text.len <= 5;
}

static bool is_address(int family, struct slice text)
{
	unsigned char address[sizeof(struct in6_addr)];
	char copy[INET6_ADDRSTRLEN];

	if (text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, address) == 1;
}

static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '-' && c != '.' && c != '_')
			return false;
	}
	return text.len > 0;
}

static bool name_known(const struct same_site *site, struct slice name)
{
	if (!is_name(name))
		return false;
	if (text_is(name, "localhost") || text_is(name, site->node) ||
	    ends_with(name, ".local") || ends_with(name, ".localhost"))
		return true;
	for (size_t i = 0; i < site->host_count; i++)
		if (text_is(name, site->hosts[i]))
			return true;
	return false;
}

bool same_site_host(const struct same_site *site, struct slice host)
{
	const uint8_t *end;
	size_t len;

	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	if (host.data[0] == '[') {
		end = memchr(host.data, ']', host.len);
		if (!end)
			return false;
		len = (size_t)(end - host.data) - 1;
		if (!is_address(AF_INET6, slice_of(host.data + 1, len)))
			return false;
		len += 2;
		return len == host.len ||
		       (host.data[len] == ':' &&
			is_port(slice_of(host.data + len + 1,
					 host.len - len - 1)));
	}
	end = memchr(host.data, ':', host.len);
	len = end ? (size_t)(end - host.data) : host.len;
	if (end && !is_port(slice_of(end + 1, host.len - len - 1)))
		return false;
	host.len = len;
	/* The trailing dot of a fully qualified name. */
	if (host.len > 1 && host.data[host.len - 1] == '.')
		host.len--;
	return is_address(AF_INET, host) || name_known(site, host);
}

static bool is_origin(struct slice origin, const char *scheme,
		      struct slice host)
{
	size_t len = strlen(scheme);

	return host.len > 0 && origin.len == len + host.len &&
	       memcmp(origin.data, scheme, len) == 0 &&
	       strncasecmp((const char *)origin.data + len,
			   (const char *)host.data, host.len) == 0;
}

bool same_site_origin(struct slice origin, struct slice host, bool secure)
{
	return is_origin(origin, "https://", host) ||
	       (!secure && is_origin(origin, "http://", host));
}

/* Without the port, which same_site_host() has found well-formed. */
static struct slice machine(struct slice host)
{
	const uint8_t *colon = memrchr(host.data, ':', host.len);

	if (colon && host.data[host.len - 1] != ']')
		host.len = (size_t)(colon - host.data);
	return host;
}

bool same_site_page(const struct same_site *site, struct slice origin,
		    struct slice host)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);
		struct slice a, b;

		if (origin.len <= len ||
		    memcmp(origin.data, schemes[i], len) != 0)
			continue;
		a = slice_of(origin.data + len, origin.len - len);
		if (!same_site_host(site, a) || !same_site_host(site, host))
			return false;
		a = machine(a);
		b = machine(host);
		return a.len == b.len &&
		       strncasecmp((const char *)a.data, (const char *)b.data,
				   a.len) == 0;
	}
	return false;
}

bool same_site_fetch(struct slice value)
{
	return value.len == 0 || slice_equal(value, slice_str("same-origin")) ||
	       slice_equal(value, slice_str("none"));
}

bool cookie_find(struct slice header, const char *name, struct slice *value)
{
	size_t name_len = strlen(name);

	while (header.len) {
		const uint8_t *end = memchr(header.data, ';', header.len);
		size_t len = end ? (size_t)(end - header.data) : header.len;
		struct slice pair = slice_of(header.data, len);

		len += end ? 1 : 0;
		header = slice_of(header.data + len, header.len - len);
		while (pair.len && pair.data[0] == ' ')
			pair = slice_of(pair.data + 1, pair.len - 1);
		if (pair.len > name_len && pair.data[name_len] == '=' &&
		    memcmp(pair.data, name, name_len) == 0) {
			*value = slice_of(pair.data + name_len + 1,
					  pair.len - name_len - 1);
			return true;
		}
	}
	return false;
}
