#!/usr/bin/env python3
"""Writes media_table.c, the media types of files by their suffix, from Debian's mime.types.

    media_table.py [/etc/mime.types] > media_table.c

The list of Debian (package media-types) has more than 1500 suffixes, most of them of formats that are seldom
served. Kept are all that are registered outside of a vendor's tree, and those of the lists below.
"""
import sys

TREES = ('application', 'audio', 'font', 'image', 'text', 'video')
# Of the trees that are left out as a whole ("vnd.", "x-"): those that files are often of.
KEPT = {
    'application/vnd.android.package-archive', 'application/vnd.apple.mpegurl',
    'application/vnd.debian.binary-package', 'application/vnd.google-earth.kml+xml',
    'application/vnd.google-earth.kmz', 'application/vnd.ms-excel', 'application/vnd.ms-fontobject',
    'application/vnd.ms-powerpoint', 'application/vnd.ms-cab-compressed', 'application/vnd.rar',
    'application/vnd.sqlite3', 'application/vnd.tcpdump.pcap', 'application/vnd.visio',
    'application/x-7z-compressed', 'application/x-apple-diskimage', 'application/x-bittorrent',
    'application/x-cpio', 'application/x-iso9660-image', 'application/x-lzma', 'application/x-msi',
    'application/x-redhat-package-manager', 'application/x-sh', 'application/x-tar', 'application/x-xz',
    'application/x-x509-ca-cert', 'application/x-xcf', 'audio/x-aiff', 'audio/x-mpegurl', 'audio/x-wav',
    'image/vnd.microsoft.icon', 'image/vnd.djvu', 'image/vnd.adobe.photoshop', 'image/x-ms-bmp',
    'image/x-portable-pixmap', 'text/x-c++src', 'text/x-chdr', 'text/x-csrc', 'text/x-diff', 'text/x-java',
    'text/x-python', 'text/x-sh', 'text/x-tex', 'video/x-matroska', 'video/x-msvideo', 'video/x-flv',
    'video/x-ms-wmv', 'video/vnd.mpegurl', 'text/vnd.graphviz',
}
KEPT_PREFIXES = ('application/vnd.oasis.opendocument.', 'application/vnd.openxmlformats-officedocument.')
# Registered, but of no use to a browser or a download, or with suffixes that mean something else.
DROPPED = ('application/ATF', 'application/prs.', 'application/EDI', 'application/cnrp', 'text/prs.',
           'audio/prs.', 'image/prs.', 'application/at', 'application/cals', 'application/cda',
           'application/senml', 'application/sensml', 'application/mp2', 'application/cdmi',
           'application/emma', 'application/emotion', 'application/epp', 'application/sarif',
           'application/lostsync', 'application/mets', 'application/mods', 'application/pkcs12',
           'application/pskc', 'application/rls', 'application/scv', 'application/sgml-open',
           'application/simple', 'application/ssdl', 'application/tamp', 'application/td+', 'application/tm+',
           'application/vec', 'application/index', 'application/p21', 'application/dskpp',
           'application/dssc', 'application/dvcs', 'application/efi', 'application/gml', 'application/ibe',
           'application/its', 'application/iotp', 'application/lgr', 'application/mac', 'application/odm',
           'application/resource', 'application/route', 'application/sieve', 'application/sql-',
           'application/set', 'application/timestamped', 'application/trig-', 'application/widget',
           'application/xcap', 'application/xml-', 'application/yin', 'application/yang',
           'application/hjson-', 'application/inkml', 'application/jf2', 'application/mosskey',
           'application/mathematica', 'application/bacnet', 'application/cbor-', 'application/commonground',
           'application/davmount', 'application/dash-', 'application/dashdelta', 'application/mmt',
           'application/mpd', 'application/stix', 'application/swid', 'application/spdx',
           'application/pgp-keys', 'application/pkix-attr', 'application/pkix-pki', 'application/cpl',
           'application/csta', 'application/urc', 'application/wsdl', 'application/wspolicy',
           'application/voucher', 'application/vcard', 'application/ccex', 'application/fdt',
           'application/fits', 'application/automationml', 'application/andrew', 'application/annodex',
           'application/auth', 'application/batch', 'application/bbolin', 'application/reginfo',
           'application/held', 'application/geopackage', 'application/n-', 'application/ODA',
           'application/ODX', 'application/PDX', 'application/cfw', 'application/city', 'application/clr',
           'application/cwl', 'application/dii', 'application/dit', 'application/futuresplash',
           'application/jrd', 'application/kpml', 'application/link', 'application/lpf',
           'application/mads', 'application/marc', 'application/mbms', 'application/media',
           'application/mmf', 'application/mrb', 'application/ms', 'application/multi',
           'application/nasdata', 'application/nss', 'application/oebps', 'application/p2p',
           'application/patch', 'application/pidf', 'application/poc', 'application/prov',
           'application/provenance', 'application/rfc', 'application/rpki', 'application/sbml',
           'application/scim', 'application/sep', 'application/sgf', 'application/shf',
           'application/simpleSymbol', 'application/sla', 'application/smpte', 'application/sparql-q',
           'application/srgs', 'application/sru', 'application/stw', 'application/tei',
           'application/thraud', 'application/tt', 'application/tzif', 'application/urctarget',
           'application/watcher', 'application/whoispp', 'application/xv', 'application/ace',
           'audio/AMR', 'audio/EV', 'audio/QCELP', 'audio/SMV', 'audio/ATRAC', 'audio/dls', 'audio/sp-',
           'audio/usac', 'audio/csound', 'audio/annodex', 'audio/mhas', 'audio/asc', 'audio/ATRAC',
           'image/cgm', 'image/dicom', 'image/fits', 'image/ief', 'image/j', 'image/pcx', 'image/t38',
           'image/aces', 'image/hej2k', 'text/dns', 'text/iuls', 'text/jcr', 'text/mathml',
           'text/provenance', 'text/shaclc', 'text/shex', 'text/spdx', 'text/wgsl', 'text/cql',
           'text/gff3', 'text/enriched', 'text/h323', 'text/t140', 'text/scriptlet', 'text/texmacs',
           'text/tab-', 'text/vtt-', 'video/iso.segment', 'video/annodex', 'video/dl', 'video/fli',
           'video/gl', 'video/mj2', 'video/dv', 'video/iso')
KEPT_AGAIN = {'application/dash+xml', 'image/jpeg', 'image/jp2', 'image/jxl', 'text/tab-separated-values',
              'application/msword', 'application/ttml+xml', 'application/patch-ops-error+xml',
              'application/mp4', 'application/pkcs12', 'application/mbox', 'application/rfc822'}
LONGEST = 16  # as in media_table.h
SKIPPED = {'svgz'}  # compressed as it is, it would need Content-Encoding


def kept(media_type):
    tree, name = media_type.split('/')
    if media_type in KEPT or media_type in KEPT_AGAIN or media_type.startswith(KEPT_PREFIXES):
        return True
    if tree not in TREES or name.startswith(('vnd.', 'x-', 'x.', 'prs.')):
        return False
    return not media_type.startswith(DROPPED)


def read(path):
    table = {}
    for line in open(path, encoding='ascii'):
        words = line.split('#')[0].split()
        if len(words) < 2 or not kept(words[0]):
            continue
        for suffix in words[1:]:
            if '.' not in suffix and len(suffix) <= LONGEST and suffix not in SKIPPED:
                table.setdefault(suffix.lower(), words[0])
    return table


def main():
    table = read(sys.argv[1] if len(sys.argv) > 1 else '/etc/mime.types')
    print('/* Made by media_table.py from mime.types of Debian 12 (media-types 10.0.0). */')
    print('#include "libsvc/files/media_table.h"')
    print()
    print(f'_Static_assert(MEDIA_TABLE_SIZE == {len(table)}, "media_table.h has another size");')
    print()
    print('const struct media_row svc__media_table[MEDIA_TABLE_SIZE] = {')
    for suffix in sorted(table):
        print(f'    {{"{suffix}", "{table[suffix]}"}},')
    print('};')


if __name__ == '__main__':
    main()
