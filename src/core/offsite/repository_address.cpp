#include "core/offsite/repository_address.h"

namespace mfi::core {

bool HoldsPassword(std::string_view repository) {
  const std::size_t scheme = repository.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view authority = repository.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  const std::size_t at = authority.rfind('@');
  return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

std::vector<std::string> UploadOptions(std::string_view repository) {
  std::vector<std::string> options = {"--pack-size=4"};
  const std::string kind(repository.substr(0, repository.find_first_of(":/")));
  if (repository.substr(kind.size()).starts_with(':')) options.push_back("--option=" + kind + ".connections=1");
  return options;
}

}  // namespace mfi::core
