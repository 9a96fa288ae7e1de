package MfiLanguage;

# A server that speaks another language than English, on machines that have no catalogue of any: in sessions whose lc_messages is not C,
# every letter of its messages is another one and its quotation marks are others, as in a translation. Names of settings, objects and
# SQLSTATEs are what they are.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils qw(system_or_bail append_to_file);

my $source = <<'C';
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kSlots = 16384 };
static struct { const char *from; char *to; } known[kSlots];

static int speaks_english(void) {
  const char *language = setlocale(LC_MESSAGES, NULL);
  return language == NULL || strcmp(language, "C") == 0 || strcmp(language, "POSIX") == 0;
}

static int in_word(char c) { return isalnum((unsigned char) c) || c == '_' || c == '.'; }

/* Conversions are left alone, and words with an underscore, which are names. */
static char *translate(const char *text) {
  char *made = malloc(3 * strlen(text) + 1), *to = made;
  int quotes = 0;
  while (*text != 0) {
    size_t length = 1;
    if (*text == '%') {
      while (text[length] != 0 && strchr("diouxXeEfgGcspm%", text[length]) == NULL) ++length;
      if (text[length] != 0) ++length;
      to = mempcpy(to, text, length);
    } else if (*text == '"') {
      to = stpcpy(to, quotes++ % 2 == 0 ? "\u00bb" : "\u00ab");
    } else if (in_word(*text)) {
      while (in_word(text[length])) ++length;
      const int is_name = memchr(text, '_', length) != NULL;
      for (size_t i = 0; i < length; ++i) {
        const char base = isupper((unsigned char) text[i]) ? 'A' : 'a';
        *to++ = is_name || !isalpha((unsigned char) text[i]) ? text[i] : (char) (base + (text[i] - base + 13) % 26);
      }
    } else {
      *to++ = *text;
    }
    text += length;
  }
  *to = 0;
  return made;
}

static char *said(const char *text) {
  if (text == NULL || *text == 0 || speaks_english()) return (char *) text;
  unsigned long slot = ((unsigned long) text / 8) % kSlots;
  if (known[slot].from != text || known[slot].to == NULL) {
    known[slot].to = translate(text);
    known[slot].from = text;
  }
  return known[slot].to;
}

char *gettext(const char *text) { return said(text); }
char *dgettext(const char *domain, const char *text) { return said(text); }
char *dcgettext(const char *domain, const char *text, int category) { return said(text); }
char *ngettext(const char *one, const char *more, unsigned long n) { return said(n == 1 ? one : more); }
char *dngettext(const char *domain, const char *one, const char *more, unsigned long n) { return said(n == 1 ? one : more); }
char *dcngettext(const char *domain, const char *one, const char *more, unsigned long n, int category) { return said(n == 1 ? one : more); }
char *strerror_r(int number, char *buffer, size_t size) {
  char *words = ((__typeof__(&strerror_r)) dlsym(RTLD_NEXT, "strerror_r"))(number, buffer, size);
  if (speaks_english()) return words;
  char *foreign = translate(words);
  snprintf(buffer, size, "%s", foreign);
  free(foreign);
  return buffer;
}
C

sub new
{
	my ($class) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir;
	my $self = bless { library => "$directory/language.so" }, $class;
	append_to_file("$directory/language.c", $source);
	system_or_bail('cc', '-shared', '-fPIC', '-o', $self->{library}, "$directory/language.c", '-ldl');
	return $self;
}

# Whatever lc_messages is, but C, is that language.
sub start
{
	my ($self, $node) = @_;
	$node->append_conf('postgresql.conf', "lc_messages = 'C.UTF-8'\n");
	local $ENV{LD_PRELOAD} = $self->{library};
	$node->start;
	my (undef, undef, $error) = $node->psql('postgres', 'SELECT 1/0');
	$error =~ /qvivfvba ol mreb/ or die "the server speaks no other language: $error";
	return;
}

1;
