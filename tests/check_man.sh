#!/bin/sh
# Every man page is correct mdoc, and hearthd(8) names each key of hearth.conf.
# Arguments: the tree (default: this one).
cd "${1:-$(dirname "$0")/..}" || exit 2
status=0
for page in $(find . -name '*.[158]' -not -path './build*' \
	-not -path '*/node_modules/*'); do
	mandoc -T lint -W warning "$page" || status=1
done
[ -f etc/hearth.conf ] || exit $status
for key in $(sed -n 's/^#\{0,1\}\([a-z_]*\) = .*/\1/p' etc/hearth.conf | sort -u); do
	grep -qs "^\.Cm.*\<$key\>" programs/hearthd.8 && continue
	echo "programs/hearthd.8 does not name $key of etc/hearth.conf"
	status=1
done
exit $status
