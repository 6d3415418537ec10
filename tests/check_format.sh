#!/bin/sh
# Every C file is as clang-format writes it: version 14, Debian 12's. Later ones
# agree but in macros, which are then left out. Arguments: the tree.
cd "${1:-$(dirname "$0")/..}" || exit 2

version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')

# Is this line of this file part of a #define?
in_macro() {
	awk -v line="$2" '
		!continued { macro = /^#[ \t]*define/ }
		NR == line + 0 { exit !macro }
		{ continued = /\\$/ }' "$1"
}

wrong=$(find broker db web gpio ctl programs tests -name '*.[ch]' \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -print0 |
	xargs -0 -r clang-format --dry-run -Werror 2>&1 |
	sed -n 's/^\([^:]*\):\([0-9]*\):.* error: .*/\1 \2/p' |
	while read -r file line; do
		if [ "$version" = 14 ] || ! in_macro "$file" "$line"; then
			echo "$file:$line"
		fi
	done)
[ -z "$wrong" ] && exit 0
printf '%s\nnot formatted: run ./dev fmt\n' "$wrong"
exit 1
