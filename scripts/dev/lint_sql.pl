#!/usr/bin/perl
# lint_sql.pl FILE...: what must hold of the extension's scripts, read one after the other, so that no object of others is taken
# for ours or runs with our rights. Prints each finding with its place and ends with 1 when there was any.
#
#   - every script begins by setting search_path to pg_catalog, pg_temp, and names no other search_path
#   - every function says SET search_path = pg_catalog, pg_temp
#   - own functions, tables and views are named with their schema, in bodies and in text that is executed
#   - no argument of an own function is a bare NULL, which would let an overload of another type fit better
#   - a SECURITY DEFINER function is given to one of the roles that are no superusers
use strict;
use warnings;

my $SAFE = qr/pg_catalog,\s*pg_temp/;
my $ROLES = qr/mfi_sync|mfi_audit_owner/;
my $NAME = qr/_?mfi_[a-z0-9_]+/;
my (@found, %function, %relation, %definer, %owner);

sub finding
{
	my ($file, $text, $at, $what) = @_;
	my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
	push @found, "$file:$line: $what";
	return;
}

# The text with comments and quoted text made blank, at the same places; bodies in dollar quotes stay as they are, like code.
sub code_of
{
	my ($text, @strings) = @_;
	my $code = $text;
	pos($text) = 0;
	while ($text =~ /\G(?:(--[^\n]*)|(\/\*.*?\*\/)|((?:\b[eE])?'(?:[^']|'')*')|("(?:[^"]|"")*")|(.))/gs)
	{
		my ($at, $length) = ($-[0], $+[0] - $-[0]);
		if (defined $1 || defined $2) { substr($code, $at, $length) = substr($text, $at, $length) =~ s/[^\n]/ /gr }
		elsif (defined $3)
		{
			push @{ $strings[0] }, [ $at, substr($text, $at, $length) ] if @strings;
			substr($code, $at, $length) = "'" . (substr($text, $at + 1, $length - 2) =~ s/[^\n]/ /gr) . "'";
		}
	}
	return $code;
}

# The arguments of a call whose parenthesis opens at this place.
sub arguments
{
	my ($code, $at) = @_;
	my ($depth, @arguments) = (0, '');
	for my $c (split //, substr($code, $at, 4000))
	{
		if ($c =~ /[(\[]/) { $depth++; next if $depth == 1 }
		if ($c =~ /[)\]]/) { $depth--; last if $depth == 0 }
		if ($c eq ',' && $depth == 1) { push @arguments, ''; next }
		$arguments[-1] .= $c;
	}
	return @arguments;
}

# Own names in code. Where only text that is executed is looked at, a call has to look like one of SQL.
sub names
{
	my ($file, $text, $code, $from) = @_;
	while ($code =~ /(?<![\w."])($NAME)\s*\(/g)
	{
		finding($file, $text, $from + $-[1], "$1() is called without its schema") if $function{$1};
	}
	while ($code =~ /\@extschema\@\.($NAME)\s*(?=\()/g)
	{
		my ($name, $at, $end) = ($1, $-[1], pos($code));
		finding($file, $text, $from + $at, "$name() gets a NULL without a type") if grep { /^\s*NULL\s*$/i } arguments($code, $end);
	}
	while ($code =~ /\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|REFERENCES|VIEW|ON|USING|,)\s+([a-z_][a-z0-9_]*)\b(?!\s*[.(])/g)
	{
		my ($name, $at, $word) = ($1, $-[1], $&);
		next if $word =~ /^,/ || !$relation{$name};
		finding($file, $text, $from + $at, "$name is named without its schema");
	}
	return;
}

my @scripts;
for my $file (@ARGV)
{
	open(my $handle, '<', $file) or die "could not open $file: $!\n";
	local $/;
	push @scripts, [ $file, scalar <$handle> ];
}
for my $script (@scripts)
{
	my ($file, $text) = @$script;
	my $code = code_of($text);
	$function{$1} = 1 while $code =~ /\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+(?:\@extschema\@\.)?($NAME)/gi;
	$relation{$1} = 1 while $text =~ /\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW)\s+(?:(?:\@extschema\@|\{schema\}|mfi|mfi_audit)\.)?([a-z_][a-z0-9_]*)\b(?!\s*[.%])/g;
	$owner{$1} = $2 while $code =~ /\bALTER\s+(?:FUNCTION|PROCEDURE)\s+\@extschema\@\.($NAME)\s*\([^;]*?\)\s*OWNER\s+TO\s+(\w+)/gi;
	# Several in one statement of a loop are not understood, on purpose: each function's owner is to be seen.
}
for my $script (@scripts)
{
	my ($file, $text) = @$script;
	my @strings;
	my $code = code_of($text, \@strings);
	my ($first) = $code =~ /\A\s*(?:\\echo[^\n]*\\quit)?\s*([^;]*);/s;
	finding($file, $text, 0, 'the script does not begin with SET LOCAL search_path = pg_catalog, pg_temp')
	  unless ($first // '') =~ /^SET\s+LOCAL\s+search_path\s*(?:=|TO)\s*$SAFE\s*$/i;
	while ($code =~ /\bsearch_path\b/gi)
	{
		my $at = $-[0];
		finding($file, $text, $at, 'a search_path that is not pg_catalog, pg_temp')
		  unless substr($code, $at) =~ /^search_path\s*(?:=|TO)\s*$SAFE\s*(?:;|\n|AS\b|\z)/i;
	}
	while ($code =~ /\bset_config\s*\(\s*'/g)
	{
		finding($file, $text, $-[0], 'set_config of search_path') if substr($text, $-[0], 60) =~ /search_path/;
	}
	while ($code =~ /\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+(\S*?)($NAME)\s*(?=\()(.*?)(?=\bAS\s*[\$'])/gis)
	{
		my ($schema, $name, $head, $at) = ($1, $2, $3, $-[0]);
		finding($file, $text, $at, "$name() is made without its schema") if $schema ne '@extschema@.';
		finding($file, $text, $at, "$name() does not say SET search_path = pg_catalog, pg_temp")
		  unless $head =~ /\bSET\s+search_path\s*(?:=|TO)\s*$SAFE/i;
		finding($file, $text, $at, "$name() is SECURITY DEFINER, but no ALTER FUNCTION gives it to a role that is no superuser")
		  if $head =~ /\bSECURITY\s+DEFINER\b/i && ($owner{$name} // '') !~ /^(?:$ROLES)$/;
	}
	while ($code =~ /\bALTER\s+(?:FUNCTION|PROCEDURE|ROUTINE)\b[^;]*?\bSECURITY\s+DEFINER\b/gi)
	{
		finding($file, $text, $-[0], 'a function is made SECURITY DEFINER apart from its definition');
	}
	names($file, $text, $code, 0);
	# Text that becomes SQL: what format() and EXECUTE are given. What is only said to people names functions as they type them.
	for my $string (@strings)
	{
		my ($at, $quoted) = @$string;
		my $before = substr($code, $at > 800 ? $at - 800 : 0, $at > 800 ? 800 : $at);
		if (substr($text, $at + length $quoted) =~ /^::reg(?:class|type|proc|procedure)\b/ && $quoted =~ /^'($NAME|[a-z_]+)[('(]/)
		{
			finding($file, $text, $at, "$1 is named without its schema") if $relation{$1} || $function{$1};
		}
		next unless $before =~ /(?:\bformat\s*\(|\bEXECUTE|\|\||')\s*\z/;
		next if $quoted !~ /\b(?:SELECT|FROM|INSERT|UPDATE|DELETE|EXECUTE|PERFORM|TABLE|VIEW|UNION)\b/;
		next if $before =~ /\b(?:HINT|DETAIL|MESSAGE)\s*=[^;=]*\z/ || $before =~ /\b(?:reason\s*:=\s*format\s*\(\s*|COMMENT ON [^;]*|RAISE [^;]*|ARRAY\s*\[\s*'[^;]*)\z/s;
		names($file, $text, substr($quoted, 1, -1), $at + 1);
	}
}
if (@found)
{
	my %seen;
	print "$_\n" for grep { !$seen{$_}++ } @found;
	exit 1;
}
