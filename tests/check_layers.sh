#!/bin/sh
# Who may include whom (README.md, "How it is built"). Prints each wrong include
# and fails if there is one. Arguments: the tree to look at (default: this one).
cd "${1:-$(dirname "$0")/..}" || exit 2

awk '
function allowed(from, to) {
	if (from ~ /^broker\/base\//)
		return to ~ /^broker\/base\//
	if (from ~ /^broker\/wire\//)
		return to ~ /^broker\/(base|wire)\//
	if (from ~ /^broker\/client\//)
		return to ~ /^broker\/(base|wire|client)\//
	if (from ~ /^broker\/config\//)
		return to ~ /^broker\/((base|config)\/|(broker|limits)\.h$)/
	if (from ~ /^broker\/match\//)
		return to ~ /^broker\/((base|wire|match)\/|limits\.h$|routing\/publish\.h$)/
	if (from ~ /^broker\//)
		return to ~ /^broker\// && to !~ /^broker\/(client|config)\//
	if (from ~ /^db\//)
		return to ~ /^db\// || to ~ /^broker\/base\// ||
		       to ~ /^broker\/wire\/(topic|utf8)\.h$/ ||
		       to ~ /^broker\/(store|history|access|bans|guard|admin|local_client|message|origin|limits|history_rules)\.h$/
	if (from ~ /^web\//)
		return to ~ /^(web|db|broker\/base)\// ||
		       to ~ /^gpio\/(pins|devices)\.h$/ ||
		       to ~ /^broker\/(store|access|bans|guard|admin|local_client|message|origin|limits|history_rules|authenticator)\.h$/ ||
		       to ~ /^broker\/wire\/(same_site|websocket|topic|reason|utf8)\.h$/
	if (from ~ /^gpio\//)
		return to ~ /^gpio\// || to ~ /^broker\/(base|wire)\// ||
		       to ~ /^broker\/client\/client(_tls)?\.h$/
	if (from ~ /^ctl\//)
		return to ~ /^(ctl|broker\/base)\//
	return from ~ /^programs\//
}
# System headers that only one layer may know.
function foreign(from, to) {
	if (to ~ /^sqlite3\.h$/)
		return from !~ /^db\//
	if (to ~ /^microhttpd\.h$/)
		return from !~ /^web\//
	if (to ~ /^gpiod\.h$/)
		return from !~ /^gpio\//
	if (to ~ /^curl\//)
		return from !~ /^ctl\//
	return to ~ /^(sys\/)?(socket|epoll)\.h$/ && from ~ /^broker\/wire\//
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	if (!allowed(FILENAME, part[2])) {
		printf "%s:%d: may not include %s\n", FILENAME, FNR, part[2]
		bad = 1
	}
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	if (foreign(FILENAME, part[2])) {
		printf "%s:%d: may not include <%s>\n", FILENAME, FNR, part[2]
		bad = 1
	}
}
END { exit bad }
' $(find broker db web gpio ctl programs -name '*.[ch]' \
	-not -path '*/node_modules/*' -not -path '*/dist/*') /dev/null
