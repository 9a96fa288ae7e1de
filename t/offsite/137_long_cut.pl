# The line is away for an hour, for a week; what is old is to be let go, which the repository refuses; a part of it is read each
# day, and what is damaged there is found within the month. The days are those of a clock that the test sets.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiClock;
use MfiNode;
use MfiOffsite qw(serve copy_to flip_byte);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $day = 86400;
my $clock = MfiClock->new;
my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\nmfi.backup_retain_days = 2\nmfi.backup_min_keep = 1\n");
my ($server, $repository) = serve($node);
copy_to($node, $repository, 'mfi.offsite_keep' => "'3d'");
$node->stop;
$clock->start($node);

my $now = 0;
sub later { my ($seconds) = @_; $now += $seconds; $clock->set($now); $node->reload; return }
sub state { return slurp_file(glob($node->backups . '/.offsite/*.json')) }
sub reasons { return $node->sql(q{SELECT array_to_string(reasons, E'\n') FROM mfi_health('offsite')}) }
sub so { my ($condition) = @_; return $node->wait_until($condition, sub { $node->reload; return $node->sql("SELECT $condition FROM mfi_offsite") eq 't' }) }
sub told
{
	my ($what, $pattern) = @_;
	eval { $node->wait_until($what, sub { $node->reload; return reasons() =~ $pattern }) };
	return like(reasons(), $pattern, $what) || diag(state());
}
sub night { return $node->sql('SELECT mfi_backup_now(wait => true)') }

sub cut { $server->{run}->kill_kill; return }
sub mend { ($server) = serve($node, port => $repository =~ /:(\d+)\//); return }

my $id = night();
so("newest_set = '$id'");
# The last work of the day. What the clock jumps over while it waits for the line would be a day that it was done in.
$node->wait_until('old copies were looked for', sub { $node->reload; return state() =~ /"forgot_at": "/ });

# For an hour.
cut();
$id = night();
told('the line is away', qr/^offsite-unreachable: /m);
later(7200);
told('for two hours', qr/^offsite-unreachable: .* for 2 h/m);
mend();
so("newest_set = '$id' AND sets_waiting = 0");
told('it comes back', qr/^$/);

# For a week, whose backups are proven here, and none of them is there.
cut();
my @nights = map { later($_ * $day); night() } 1, 3, 3;
told('for a week', qr/^offsite-stale: /m);
is($node->sql(q{SELECT verdict FROM mfi_health('offsite')}), 'critical', 'is critical');
is($node->sql('SELECT sets_waiting FROM mfi_offsite'), '3', 'its backups wait');
is($node->sql("SELECT count(*) FROM mfi_backups WHERE path IS NOT NULL AND id IN ('@{[ join q{','}, @nights ]}')"), '3',
	'and none of them is deleted, though only two days are kept');
mend();
so("newest_set = '$nights[-1]'");
pass('the newest goes first');
so('sets_waiting = 0');
told('what is old stays there', qr/^offsite-keep-refused: [^\n]*$/);

# A byte of a part that was not read yet, among thirty.
my %part = map { $_ => hex(substr($_, rindex($_, '/') + 1, 2)) % 30 + 1 } grep { -s $_ > 1000 } glob("$server->{path}/bank/data/*/*");
my $pack = (sort { $part{$a} <=> $part{$b} } grep { $part{$_} > 2 } keys %part)[0];
note("$pack of part $part{$pack}");
flip_byte($pack);
my $days = 0;
until (reasons() =~ /^offsite-corrupt: /m || ++$days > 30)
{
	later($day);
	so("checked_at > now() - interval '1 hour' AND running IS NULL");
}
my $name = substr $pack, rindex($pack, '/') + 1, 8;
like(reasons(), qr/^offsite-corrupt: .*$name/m, "the byte is found, after $days days");
$node->stop;
done_testing();
