package MfiShim;

# A PostgreSQL whose client programs a test can replace: `bin` holds a copy of postgres and pg_ctl (the runner looks for
# pg_dump beside the server's real path), links to all else, and the test's own scripts.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use File::Copy qw(copy);
use PostgreSQL::Test::Utils qw(slurp_dir run_log);

our @EXPORT_OK = qw(install_with replace real_program while_there);

my $bindir = `pg_config --bindir`;
chomp $bindir;

sub real_program { return "$bindir/$_[0]" }

# install_with(): the install_path for PostgreSQL::Test::Cluster->new.
sub install_with
{
	my $path = PostgreSQL::Test::Utils::tempdir;
	mkdir "$path/bin" or die $!;
	symlink("$bindir/../lib", "$path/lib") or die $!;
	for my $program (grep { !/^\./ } slurp_dir($bindir))
	{
		symlink("$bindir/$program", "$path/bin/$program") or die $!;
	}
	for my $program ('postgres', 'pg_ctl')
	{
		unlink "$path/bin/$program";
		copy("$bindir/$program", "$path/bin/$program") or die $!;
		chmod 0755, "$path/bin/$program";
	}
	return $path;
}

# For such a script: stands still for as long as the file is there.
sub while_there { return "while [ -e $_[0] ]; do read -r -t 0.05 <> <(:) || true; done" }

# replace(PATH, PROGRAM, SHELL-SCRIPT): `real` in the script calls the program itself. undef brings it back.
sub replace
{
	my ($path, $program, $script) = @_;
	my $file = "$path/bin/$program";
	unlink $file;
	if (!defined $script)
	{
		symlink("$bindir/$program", $file) or die $!;
		return;
	}
	open(my $out, '>', "$file.new") or die $!;
	print $out "#!/bin/bash\nset -e\nreal() { $bindir/$program \"\$@\"; }\n$script\n";
	close $out;
	chmod 0755, "$file.new";
	rename "$file.new", $file or die $!;
	return;
}

1;
