#include "core/manifest.h"

#include <algorithm>

#include "core/names.h"
#include "core/run_record_json.h"

namespace mfi::core {
namespace {

std::vector<std::string> Strings(const json::Json& object, const char* name) {
  std::vector<std::string> out;
  for (const json::Json& item : json::List(object, name)) {
    if (!item.is_string()) json::WrongType(name, "an array of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

json::Json ToJsonObject(const DatabaseProperties& d) {
  return {{"name", d.name},
          {"owner", d.owner},
          {"encoding", d.encoding},
          {"locale_provider", d.locale_provider},
          {"collate", d.collate},
          {"ctype", d.ctype},
          {"locale", json::OrNull(d.locale)},
          {"collation_version", json::OrNull(d.collation_version)},
          {"acl", d.acl},
          {"settings", d.settings}};
}

DatabaseProperties DatabaseFromJson(const json::Json& object) {
  DatabaseProperties d;
  json::Read(object, "name", d.name);
  json::Read(object, "owner", d.owner);
  json::Read(object, "encoding", d.encoding);
  json::Read(object, "locale_provider", d.locale_provider);
  json::Read(object, "collate", d.collate);
  json::Read(object, "ctype", d.ctype);
  json::Read(object, "locale", d.locale);
  json::Read(object, "collation_version", d.collation_version);
  d.acl = Strings(object, "acl");
  d.settings = Strings(object, "settings");
  return d;
}

json::Json ToJsonObject(const Contents& contents) {
  json::Json tables = json::Json::array();
  for (const TableRows& table : contents.tables) {
    tables.push_back({{"oid", table.oid}, {"name", table.name}, {"rows", json::OrNull(table.rows)}});
  }
  json::Json sequences = json::Json::array();
  for (const SequenceRange& sequence : contents.sequences) {
    sequences.push_back({{"name", sequence.name}, {"low", sequence.low}, {"high", sequence.high}});
  }
  return {{"tables", tables},
          {"sequences", sequences},
          {"large_objects", contents.large_objects},
          {"invalid_constraints", contents.invalid_constraints},
          {"database_bytes", contents.database_bytes}};
}

Contents ContentsFromJson(const json::Json& object) {
  Contents contents;
  for (const json::Json& item : json::List(object, "tables")) {
    if (!item.is_object()) json::WrongType("tables", "an array of objects");
    TableRows table;
    std::int64_t oid = 0;
    json::Read(item, "oid", oid);
    table.oid = static_cast<std::uint32_t>(oid);
    json::Read(item, "name", table.name);
    json::Read(item, "rows", table.rows);
    contents.tables.push_back(std::move(table));
  }
  for (const json::Json& item : json::List(object, "sequences")) {
    if (!item.is_object()) json::WrongType("sequences", "an array of objects");
    SequenceRange sequence;
    json::Read(item, "name", sequence.name);
    json::Read(item, "low", sequence.low);
    json::Read(item, "high", sequence.high);
    contents.sequences.push_back(std::move(sequence));
  }
  json::Read(object, "large_objects", contents.large_objects);
  contents.invalid_constraints = Strings(object, "invalid_constraints");
  json::Read(object, "database_bytes", contents.database_bytes);
  return contents;
}

/// Names are joined to the set's path by readers: none may lead out of it.
bool StaysInside(const std::string& name) {
  return !name.empty() && name.front() != '/' && ("/" + name + "/").find("/../") == std::string::npos;
}

/// What is restored must be what the set's digests are of.
bool IsListed(const std::string& archive, const std::vector<ManifestFile>& files) {
  return std::any_of(files.begin(), files.end(), [&](const ManifestFile& file) {
    return file.name == archive || file.name.rfind(archive + "/", 0) == 0;
  });
}

ManifestFile FileFromJson(const json::Json& object) {
  if (!object.is_object()) json::WrongType("files", "an array of objects");
  ManifestFile file;
  json::Read(object, "name", file.name);
  json::Read(object, "bytes", file.bytes);
  json::Read(object, "sha256", file.sha256);
  if (!StaysInside(file.name) || IsManifestName(file.name)) {
    throw Error(sqlstate::kDataCorrupted, "a file of the set has the name \"" + file.name + "\"");
  }
  return file;
}

}  // namespace

bool IsManifestName(std::string_view name) {
  return name == kManifestName || name == kManifestName + std::string(".tmp");
}

std::string ToJson(const Manifest& manifest) {
  json::Json files = json::Json::array();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  const json::Json document = {
      {"format", kManifestFormat},
      {"run", RecordToJson(manifest.run)},
      {"database", ToJsonObject(manifest.database)},
      {"server_version", manifest.server_version},
      {"dump_command", manifest.dump_command},
      {"files", files},
      {"contents", ToJsonObject(manifest.contents)},
      {"adopted_from", json::OrNull(manifest.adopted_from)},
      {"hold", manifest.held ? json::Json{{"reason", manifest.hold_reason}} : json::Json(nullptr)}};
  return json::Dump(document);
}

Manifest ParseManifest(std::string_view text) {
  const json::Json document = json::ParseObject(text, "the manifest", kMaxManifestBytes);
  int format = 0;
  json::Read(document, "format", format);
  if (format < 1 || format > kManifestFormat) {
    throw Error(sqlstate::kDataCorrupted, "the manifest has format " + std::to_string(format) + ", known are 1 to " +
                                              std::to_string(kManifestFormat));
  }
  Manifest manifest;
  manifest.run = RecordFromJson(json::Section(document, "run"));
  if (!IsRunId(manifest.run.id)) {
    throw Error(sqlstate::kDataCorrupted, "the manifest has the id \"" + manifest.run.id + "\"");
  }
  const std::string& path = manifest.run.path;
  const std::string set = manifest.run.id + "/";
  if (path.rfind(set, 0) != 0 || !StaysInside(path.substr(set.size()))) {
    throw Error(sqlstate::kDataCorrupted, "the set has its archive at \"" + path + "\"");
  }
  manifest.database = DatabaseFromJson(json::Section(document, "database"));
  json::Read(document, "server_version", manifest.server_version);
  manifest.dump_command = Strings(document, "dump_command");
  for (const json::Json& file : json::List(document, "files")) manifest.files.push_back(FileFromJson(file));
  manifest.contents = ContentsFromJson(json::Section(document, "contents"));
  if (manifest.files.empty()) throw Error(sqlstate::kDataCorrupted, "the manifest names no files");
  if (!IsListed(path.substr(set.size()), manifest.files)) {
    throw Error(sqlstate::kDataCorrupted, "the set's archive \"" + path + "\" is not among its files");
  }
  json::Read(document, "adopted_from", manifest.adopted_from);
  if (const json::Json* hold = json::Find(document, "hold")) {
    if (!hold->is_object()) json::WrongType("hold", "an object");
    manifest.held = true;
    json::Read(*hold, "reason", manifest.hold_reason);
  }
  return manifest;
}

}  // namespace mfi::core
