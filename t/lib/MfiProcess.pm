package MfiProcess;

# An object with a process of its own, {pid}, which ends with it.

use strict;
use warnings FATAL => 'all';

sub DESTROY
{
	my ($self) = @_;
	local $?;
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

1;
