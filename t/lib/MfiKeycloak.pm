package MfiKeycloak;

# A stand-in for Keycloak's admin API with its rules of paging: /groups has the top groups only, without subGroups and, unless
# told otherwise, without attributes; /children has ten groups unless told otherwise; events come newest first. A process of its
# own; what it has and how it fails is set over HTTP.

use strict;
use warnings FATAL => 'all';
use parent 'MfiProcess';
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use POSIX ();

# MfiKeycloak->new(groups => [..], events => [..], admin_events => [..])
sub new
{
	my ($class, %params) = @_;
	my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "could not listen: $!";
	my $self = bless { url => 'http://127.0.0.1:' . $listener->sockport }, $class;
	$self->{pid} = fork // die "could not fork: $!";
	serve($listener) if $self->{pid} == 0;
	close($listener);
	$self->set(%params);
	return $self;
}

sub url { return $_[0]{url} }

# set(NAME => VALUE, ...): groups, events, admin_events as Keycloak has them, flat; secret; hidden: ids of groups that the client
# may not see, which the counts have all the same; knows_top: whether there is a count of the top groups; faults, each taken once, at the
# nth request whose path matches: { match => REGEX, nth => N, do => 401 | 403 | 500 | hang | cut | html | delete | add, id => ID, group => GROUP }, or
# hostile: { do => body, body => TEXT, type => MIME }, redirect with `to`, flood (a chunked answer without end), drip (a byte now and then, without
# end), pages (each page another one, without end), small (the same with one little thing each), deep (one group, which always has one child)
sub set
{
	my ($self, %params) = @_;
	my $answer = HTTP::Tiny->new->put("$self->{url}/control", { content => encode_json(\%params) });
	die "the stand-in answers $answer->{status} $answer->{content}" if $answer->{status} != 200;
	return;
}

# The requests since the last set: "METHOD path".
sub requests { my ($self) = @_; return @{ decode_json(HTTP::Tiny->new->get("$self->{url}/control")->{content}) } }

# Only _exit ends the process, so that it runs no clean-up of the test.
sub serve
{
	my ($listener) = @_;
	my (%state, %tokens, @requests, @hanging, $issued);
	local $SIG{PIPE} = 'IGNORE';
	while (getppid() != 1)
	{
		IO::Select->new($listener)->can_read(0.2) or next;
		my $client = $listener->accept or next;
		my ($method, $target, $headers, $body) = read_request($client) or next;
		if ($target eq '/control')
		{
			if ($method eq 'PUT')
			{
				my $new = decode_json($body);
				@state{ keys %$new } = values %$new;
				delete $state{tree};
				@requests = ();
				$_->{seen} = 0 for @{ $state{faults} // [] };
			}
			answer($client, 200, encode_json(\@requests));
			next;
		}
		push @requests, "$method $target";
		my ($fault, $how) = due(\%state, $target);
		if ($fault eq 'body') { answer($client, 200, $how->{body}, $how->{type}) }
		elsif ($fault eq 'redirect') { print $client "HTTP/1.1 302 Found\r\nLocation: $how->{to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"; close($client) }
		elsif ($fault eq 'flood' || $fault eq 'drip') { without_end($client, $fault) }
		elsif ($fault eq 'pages') { answer($client, 200, encode_json([ map { { id => 'g' . ++$issued . "-$_", name => 'x' x 100_000, path => "/$issued-$_" } } 1 .. 5 ])) }
		elsif ($fault eq 'small') { answer($client, 200, encode_json([ { id => 'g' . ++$issued, name => "n$issued", path => "/n$issued", time => 1e13 - $issued, type => 'LOGIN', realmId => 'r' } ])) }
		elsif ($fault eq 'deep') { answer($client, 200, $target =~ /first=0/ ? encode_json([ { id => 'g' . ++$issued, name => "n$issued", path => "/n$issued", subGroupCount => 1 } ]) : '[]') }
		elsif ($fault eq 'hang') { push @hanging, $client }
		elsif ($fault eq 'cut') { print $client "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n[{\"id\":"; close($client) }
		elsif ($fault eq 'html') { answer($client, 200, '<html>Welcome</html>') }
		elsif ($fault =~ /^\d/) { %tokens = () if $fault == 401; answer($client, $fault, '{"error":"unknown_error"}') }
		elsif ($target =~ m{^/realms/[^/]+/protocol/openid-connect/token$})
		{
			my %form = map { map { s/\+/ /gr =~ s/%(..)/chr hex $1/ger } split /=/, $_, 2 } split /&/, $body;
			my $known = ($form{client_secret} // '') eq $state{secret} && $form{grant_type} eq 'client_credentials';
			$tokens{ 'token' . ++$issued } = 1 if $known;
			answer($client, $known ? (200, qq({"access_token":"token$issued","expires_in":60})) : (401, '{"error":"unauthorized_client"}'));
		}
		elsif ($headers !~ /^Authorization: Bearer (\w+)\r$/m || !$tokens{$1}) { answer($client, 401, '{"error":"HTTP 401 Unauthorized"}') }
		else { answer($client, resource(\%state, $target)) }
	}
	POSIX::_exit(0);
}

sub due
{
	my ($state, $target) = @_;
	for my $fault (grep { $target =~ /$_->{match}/ } @{ $state->{faults} // [] })
	{
		next if ++$fault->{seen} != ($fault->{nth} // 1) && !$fault->{always};
		return ($fault->{do}, $fault) if $fault->{do} !~ /^(?:delete|add)$/;
		$state->{groups} = [ grep { $_->{id} ne $fault->{id} } @{ $state->{groups} } ] if $fault->{do} eq 'delete';
		push @{ $state->{groups} }, { %{ $fault->{group} }, id => sprintf($fault->{group}{id}, $fault->{seen}), name => "$fault->{group}{name} $fault->{seen}" } if $fault->{do} eq 'add';
		delete $state->{tree};
	}
	return ('', {});
}

# In a process of its own, until the client goes or the stand-in ends.
sub without_end
{
	my ($client, $how) = @_;
	my $server = $$;
	my $child = fork // die "could not fork: $!";
	if ($child)
	{
		close($client);
		return;
	}
	local $SIG{PIPE} = 'DEFAULT';
	$client->autoflush(1);
	print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n";
	my $piece = $how eq 'flood' ? ' ' x 65536 : ' ';
	while (getppid() == $server)
	{
		printf $client "%x\r\n%s\r\n", length $piece, $piece;
		select(undef, undef, undef, 0.2) if $how eq 'drip';
	}
	POSIX::_exit(0);
}

sub read_request
{
	my ($client) = @_;
	my $text = '';
	while ($text !~ /\r\n\r\n/) { sysread($client, $text, 65536, length $text) or return }
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;
	while (length $body < ($length // 0)) { sysread($client, $body, 65536, length $body) or return }
	return ($head =~ /^(\w+) (\S+)/, "$head\r\n", $body);
}

sub answer
{
	my ($client, $status, $body, $type) = @_;
	$type //= 'application/json';
	print $client "HTTP/1.1 $status X\r\nContent-Type: $type\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
	close($client);
	return;
}

# The groups by their parents, in the order of the API, and room for what was made of them.
sub tree
{
	my ($state) = @_;
	my %tree = (known => {}, children => {}, text => {}, hidden => { map { $_ => 1 } @{ $state->{hidden} // [] } });
	for my $group (sort { $a->{name} cmp $b->{name} } @{ $state->{groups} })
	{
		$tree{known}{ $group->{id} } = 1;
		push @{ $tree{children}{ $group->{parentId} // '' } }, $group;
	}
	return \%tree;
}

# What the API gives for a path.
sub resource
{
	my ($state, $target) = @_;
	my ($path, $query) = split /\?/, $target, 2;
	my %query = map { split /=/, $_, 2 } split /&/, $query // '';
	my ($realm, $rest) = $path =~ m{^/admin/realms/([^/]+)(/.*)$} or return (404, '{}');
	return (404, '{"error":"Realm not found."}') if $realm ne 'ops';
	my $page = sub {
		my ($default, $show, @all) = @_;
		my ($first, $max) = ($query{first} // 0, $query{max} // $default);
		@all = splice @all, $first < @all ? $first : scalar @all;
		splice @all, $max if @all > $max;
		return (200, '[' . join(',', map { $show->($_) } @all) . ']');
	};
	my $tree = $state->{tree} //= tree($state);
	my $visible = sub { return grep { !$tree->{hidden}{ $_->{id} } } @{ $tree->{children}{ $_[0] } // [] } };
	my $shown = sub {
		my ($brief) = @_;
		return sub {
			my ($group) = @_;
			return $tree->{text}{$brief}{ $group->{id} } //= do
			{
				my %shown = (%$group, subGroups => [], subGroupCount => scalar @{ $tree->{children}{ $group->{id} } // [] }, access => { view => \1 });
				delete @shown{qw(attributes realmRoles clientRoles)} if $brief;
				encode_json(\%shown);
			};
		};
	};
	return $page->(100, $shown->(($query{briefRepresentation} // 'true') eq 'true'), $visible->('')) if $rest eq '/groups';
	if ($rest eq '/groups/count')
	{
		my $only_top = ($query{top} // '') eq 'true' && ($state->{knows_top} // 1);
		return (200, encode_json({ count => scalar @{ $only_top ? $tree->{children}{''} // [] : $state->{groups} } }));
	}
	if ($rest =~ m{^/groups/([^/]+)/children$})
	{
		my $id = $1;
		return (404, '{"error":"Could not find group by id"}') if !$tree->{known}{$id};
		return $page->(10, $shown->(($query{briefRepresentation} // 'false') eq 'true'), $visible->($id));
	}
	return $page->(100, \&encode_json, @{ $state->{ $rest eq '/events' ? 'events' : 'admin_events' } }) if $rest =~ m{^/(?:admin-)?events$};
	return (404, '{}');
}

1;
