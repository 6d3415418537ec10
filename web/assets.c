#include "web/assets.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/reply.h"

static const char *const coding_names[ASSET_CODINGS] = {
	[ASSET_GZIP] = "gzip",
	[ASSET_BROTLI] = "br",
};

static const struct asset *find(const char *path)
{
	for (size_t i = 0; i < assets_count; i++)
		if (strcmp(assets_table[i].path, path) == 0)
			return &assets_table[i];
	return NULL;
}

/* Is name in the list and not ruled out by ;q=0? RFC 9110, 12.5.3. */
static bool accepts(const char *accept, const char *name)
{
	size_t len = strlen(name);

	while (*accept) {
		size_t part = strcspn(accept, ",");
		size_t skip = strspn(accept, " \t");
		const char *at = accept + skip;
		const char *q;

		if (skip < part && strncasecmp(at, name, len) == 0 &&
		    strchr(" \t;,", at[len])) {
			q = memmem(accept, part, "q=", 2);
			/* Nothing but 0 and 0.000 is zero. */
			return !q || q[2 + strspn(q + 2, "0.")] > '0';
		}
		accept += part;
		accept += *accept == ',';
	}
	return false;
}

enum asset_coding assets_choose(const struct asset *asset, const char *accept)
{
	if (asset->bytes[ASSET_BROTLI].data && accepts(accept, "br"))
		return ASSET_BROTLI;
	if (asset->bytes[ASSET_GZIP].data && accepts(accept, "gzip"))
		return ASSET_GZIP;
	return ASSET_PLAIN;
}

/* Does an If-None-Match list hold our tag? Weak ones compare as strong ones. */
static bool none_match(struct slice header, const char *etag)
{
	return slice_equal(header, slice_str("*")) ||
	       (header.len &&
		memmem(header.data, header.len, etag, strlen(etag)));
}

static void reply_asset(struct request *request, const struct asset *asset)
{
	enum asset_coding coding = assets_choose(
		asset,
		(const char *)request_header(request, "Accept-Encoding").data);
	const uint8_t *data = asset->bytes[coding].data;
	size_t len = (size_t)(asset->bytes[coding].end - data);
	bool same;
	char etag[40];

	snprintf(etag, sizeof(etag), "\"%s%s%s\"", asset->etag,
		 coding == ASSET_PLAIN ? "" : "-",
		 coding == ASSET_PLAIN ? "" : coding_names[coding]);
	same = none_match(request_header(request, "If-None-Match"), etag);
	if (same)
		len = 0;
	reply_response(request, same ? 304 : 200,
		       MHD_create_response_from_buffer(len,
						       (void *)(uintptr_t)data,
						       MHD_RESPMEM_PERSISTENT));
	reply_header(request, "ETag", etag);
	reply_header(request, "Vary", "Accept-Encoding");
	reply_header(request, "Cache-Control",
		     asset->immutable ? "public, max-age=31536000, immutable"
				      : "no-cache");
	if (same)
		return;
	reply_header(request, "Content-Type", asset->type);
	if (coding != ASSET_PLAIN)
		reply_header(request, "Content-Encoding", coding_names[coding]);
}

void assets_reply(struct request *request)
{
	const struct asset *asset = find(request->path);

	if (asset)
		reply_asset(request, asset);
	else
		reply_problem(request, 404, "not-found", "There is no %s.",
			      request->path);
}

void assets_reply_openapi(struct request *request)
{
	reply_asset(request, find("/api/v1/openapi.json"));
}
