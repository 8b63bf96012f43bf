#!/usr/bin/perl
# A second reader of the attachments scenario, MIME::Parser: parse.pl FILE.eml prints one line a part, indented by its depth:
# type, file name, and the size of what it decodes to.
use strict;
use warnings;
use MIME::Parser;
use MIME::WordDecoder;

binmode STDOUT, ':encoding(UTF-8)';
my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
my $message = $parser->parse_open($ARGV[0]);
die "no message\n" unless $message;
for my $problem ($parser->results->errors, $parser->results->warnings) {
    print "problem: $problem\n";
}
show($message, 0);

sub show {
    my ($part, $depth) = @_;
    my $name = $part->head->recommended_filename // '';
    my $body = $part->bodyhandle;
    my $size = $body ? length $body->as_string : '-';
    print '  ' x $depth, $part->mime_type, ' ', ($name eq '' ? '-' : $name), " $size\n";
    show($_, $depth + 1) for $part->parts;
}
