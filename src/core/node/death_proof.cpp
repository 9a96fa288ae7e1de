#include "core/node/death_proof.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace mfi::core {
namespace {

bool TellsOfDeath(const Seen& seen) { return seen.sight == Sight::kRefused || seen.sight == Sight::kNameGone; }

bool Has(const Look& look, Sight sight) {
  return std::any_of(look.seen.begin(), look.seen.end(), [&](const Seen& seen) { return seen.sight == sight; });
}

DeathVerdict Alive(const std::string& why, const Look& look) {
  DeathVerdict verdict{false, why};
  if (!look.heard.empty()) verdict.seen.push_back(look.heard);
  for (const Seen& seen : look.seen) {
    verdict.seen.push_back(seen.where + ": " + (seen.sight == Sight::kRefused ? "nobody listens" : seen.words));
  }
  return verdict;
}

}  // namespace

Sight SightOfErrno(int error, bool ipv6) {
  switch (error) {
    case ECONNREFUSED:
      return Sight::kRefused;
    case EAFNOSUPPORT:
      return Sight::kNoWay;
    case EADDRNOTAVAIL:  // with IPv4, all ports of this machine are taken
      return ipv6 ? Sight::kNoWay : Sight::kUnreachable;
    default:
      return Sight::kUnreachable;
  }
}

std::string_view MeaningOfRefusal(std::string_view sqlstate) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMeanings = {{
      {"57P03", "it is starting up, recovering or shutting down"},
      {"57P01", "it is shutting down"},
      {"57P02", "it has crashed and recovers"},
      {"53", "it has no room for one more connection"},
      {"28", "it does not let this one in"},
      {"3D000", "it has no such database"},
      {"55", "it is not ready for this"},
      {"42", "it does not allow this"},
      {"08", "it does not speak as a server of PostgreSQL should"},
  }};
  const auto* const found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                         [&](const auto& meaning) { return sqlstate.starts_with(meaning.first); });
  return found == kMeanings.end() ? std::string_view() : found->second;
}

bool MayBeDead(const Look& look) {
  return look.heard.empty() && std::any_of(look.seen.begin(), look.seen.end(), TellsOfDeath) &&
         std::all_of(look.seen.begin(), look.seen.end(),
                     [](const Seen& seen) { return TellsOfDeath(seen) || seen.sight == Sight::kNoWay; });
}

DeathVerdict JudgeDeath(const std::vector<Look>& looks) {
  if (looks.empty()) return {false, "nobody has looked whether the old primary is down"};
  const auto living = std::find_if(looks.begin(), looks.end(), [](const Look& look) { return !MayBeDead(look); });
  if (living == looks.end()) {
    if (static_cast<int>(looks.size()) >= kLooks) return {true};
    return Alive("it was not looked often enough whether the old primary is down", looks.back());
  }
  if (!living->heard.empty() || Has(*living, Sight::kTaken)) return Alive("the old primary still answers", *living);
  if (living->seen.empty() || Has(*living, Sight::kUnknown)) {
    return Alive("it is not known where the old primary is, and so not that it is down", *living);
  }
  return Alive("the old primary cannot be reached, which does not show that it is down", *living);
}

}  // namespace mfi::core
