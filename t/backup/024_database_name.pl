# A database whose name needs quotes, escapes and encoding everywhere it goes.

use strict;
use warnings FATAL => 'all';
use utf8;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing);
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $name = q(it's "the" 100%/bank\\ ümlaut);
utf8::encode($name);
my $node = MfiNode->bank('bank', database => $name);
my $backups = $node->backups;
my $id = $node->backup_ok;

my $encoded = $name =~ s/%/%25/r =~ s{/}{%2F}r;
like($id, qr/^\Q$encoded\E_\d{8}T\d{6}Z$/, 'id: only what a file name cannot hold is encoded');
is($node->run($id, 'state, verify_result, database'), "succeeded|ok|$name", 'the run');
ok(-f "$backups/$id/$encoded.dump", 'the archive');
is(readlink "$backups/$id.sql.gz", "$id/$encoded.dump", 'its link');
my $quoted = $id =~ s/'/''/gr;
my $file = "$backups/$quoted/manifest.json";
is($node->sql("SELECT pg_read_file('$file')::jsonb #>> '{database,name}'"), $name, 'the manifest');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), "$backups/$id.sql.gz" ], 'pg_restore');
is(listing($node, 'restored'), listing($node, $name), 'restored: equal');

is($node->sql("SELECT mfi_backup_hold('$quoted', 'kept')"), 't', 'hold by id');
is($node->run($id, 'held'), 't', 'held');
my $next = $node->backup_ok;
isnt($next, $id, 'the next run');
is(join(' ', grep { /partial|remove/ } slurp_dir($backups)), '', 'nothing half done is left');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/database-missing|no-verified|failed/, 'verdict');

# A note is text like any other, and none is cut.
my $noted = $node->sql("SELECT mfi_backup_now(wait => true, note => repeat(chr(8594), 170))");
is($node->run($noted, "note = repeat(chr(8594), 170)"), 't', 'a long note');
like($node->error("SELECT mfi_backup_now(note => repeat(chr(8594), 171))"),
	qr/the note is 513 bytes long, at most 511 are kept/, 'a note that is too long is refused');
$node->stop;
done_testing();
