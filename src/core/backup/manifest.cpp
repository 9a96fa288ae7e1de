#include "core/backup/manifest.h"

#include <algorithm>

#include "core/backup/run_record_json.h"
#include "core/base/names.h"
#include "core/base/utf8.h"

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
  json::Json settings = json::Json::array();
  for (const DatabaseSetting& setting : d.settings) {
    settings.push_back({{"role", json::OrNull(setting.role)}, {"name", setting.name}, {"value", setting.value}});
  }
  json::Json labels = json::Json::array();
  for (const SecurityLabel& label : d.security_labels) {
    labels.push_back({{"provider", label.provider}, {"label", label.label}});
  }
  return {{"name", d.name},
          {"owner", d.owner},
          {"encoding", d.encoding},
          {"locale_provider", d.locale_provider},
          {"collate", d.collate},
          {"ctype", d.ctype},
          {"locale", json::OrNull(d.locale)},
          {"icu_rules", json::OrNull(d.icu_rules)},
          {"collation_version", json::OrNull(d.collation_version)},
          {"privileges", d.acl ? json::Json(*d.acl) : json::Json(nullptr)},
          {"settings", std::move(settings)},
          {"connection_limit", d.connection_limit},
          {"comment", json::OrNull(d.comment)},
          {"tablespace", json::OrNull(d.tablespace)},
          {"is_template", d.is_template},
          {"security_labels", std::move(labels)}};
}

/// `role/name=value`, the role quoted as SQL needs it, as manifests had settings once.
DatabaseSetting SettingFromText(const std::string& text) {
  DatabaseSetting setting;
  const bool quoted = !text.empty() && text.front() == '"';
  std::size_t at = quoted ? 1 : 0;
  for (; at < text.size() && (quoted || text[at] != '/'); ++at) {
    if (quoted && text[at] == '"' && (at + 1 == text.size() || text[++at] != '"')) break;
    setting.role += text[at];
  }
  const std::size_t equals = text.find('=', at);
  if (at >= text.size() || text[at] != '/' || equals == std::string::npos) {
    throw Error(sqlstate::kDataCorrupted, "\"" + text + "\" is no setting");
  }
  setting.name = text.substr(at + 1, equals - at - 1);
  setting.value = text.substr(equals + 1);
  return setting;
}

DatabaseSetting SettingFromJson(const json::Json& item) {
  if (item.is_string()) return SettingFromText(item.get<std::string>());
  if (!item.is_object()) json::WrongType("settings", "an array of objects");
  DatabaseSetting setting;
  json::Read(item, "role", setting.role);
  json::Read(item, "name", setting.name);
  json::Read(item, "value", setting.value);
  return setting;
}

SecurityLabel LabelFromJson(const json::Json& item) {
  if (!item.is_object()) json::WrongType("security_labels", "an array of objects");
  SecurityLabel label;
  json::Read(item, "provider", label.provider);
  json::Read(item, "label", label.label);
  return label;
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
  json::Read(object, "icu_rules", d.icu_rules);
  json::Read(object, "connection_limit", d.connection_limit);
  json::Read(object, "comment", d.comment);
  json::Read(object, "tablespace", d.tablespace);
  json::Read(object, "is_template", d.is_template);
  // Once there was "acl", empty for the privileges that every database has and for none at all.
  std::vector<std::string> acl = Strings(object, "acl");
  if (json::Find(object, "privileges") != nullptr) {
    d.acl = Strings(object, "privileges");
  } else if (!acl.empty()) {
    d.acl = std::move(acl);
  }
  for (const json::Json& item : json::List(object, "settings")) d.settings.push_back(SettingFromJson(item));
  for (const json::Json& item : json::List(object, "security_labels")) {
    d.security_labels.push_back(LabelFromJson(item));
  }
  return d;
}

json::Json ToJsonObject(const Contents& contents) {
  json::Json tables = json::Json::array();
  for (const TableRows& table : contents.tables) {
    json::Json item = {
        {"oid", table.oid}, {"name", table.name}, {"rows", json::OrNull(table.rows)}, {"hash", table.hash}};
    if (!table.root.empty()) item["root"] = table.root;
    if (table.in_part) item["in_part"] = true;
    tables.push_back(std::move(item));
  }
  json::Json sequences = json::Json::array();
  for (const SequenceRange& sequence : contents.sequences) {
    sequences.push_back({{"name", sequence.name}, {"low", sequence.low}, {"high", sequence.high}});
  }
  return {{"tables", tables},
          {"sequences", sequences},
          {"large_objects", contents.large_objects},
          {"large_objects_hash", contents.large_objects_hash},
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
    json::Read(item, "hash", table.hash);
    json::Read(item, "root", table.root);
    json::Read(item, "in_part", table.in_part);
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
  json::Read(object, "large_objects_hash", contents.large_objects_hash);
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

json::Json ToJsonObject(const SetCopy& copy) {
  return {{"repository", copy.repository},
          {"snapshot", copy.snapshot},
          {"at", FormatIso(copy.at)},
          {"proven_at", json::TimeOrNull(copy.proven_at)},
          {"forgotten", copy.forgotten}};
}

SetCopy CopyFromJson(const json::Json& object) {
  if (!object.is_object()) json::WrongType("copies", "an array of objects");
  SetCopy copy;
  json::Read(object, "repository", copy.repository);
  json::Read(object, "snapshot", copy.snapshot);
  std::optional<UtcSeconds> at;
  json::ReadTime(object, "at", at);
  copy.at = at.value_or(0);
  json::ReadTime(object, "proven_at", copy.proven_at);
  json::Read(object, "forgotten", copy.forgotten);
  return copy;
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
  json::Json copies = json::Json::array();
  for (const SetCopy& copy : manifest.copies) copies.push_back(ToJsonObject(copy));
  json::Json document = {{"format", kManifestFormat},
                         {"run", RecordToJson(manifest.run)},
                         {"database", ToJsonObject(manifest.database)},
                         {"server_version", manifest.server_version},
                         {"session_settings", manifest.session_settings},
                         {"dump_command", manifest.dump_command},
                         {"files", files},
                         {"contents", ToJsonObject(manifest.contents)},
                         {"adopted_from", json::OrNull(manifest.adopted_from)},
                         {"hold", manifest.held ? json::Json{{"reason", manifest.hold_reason}} : json::Json(nullptr)},
                         {"copies", copies}};
  json::EachString(document, BytesToCharacters);
  return json::Dump(document);
}

Manifest ParseManifest(std::string_view text) {
  json::Json document = json::ParseObject(text, "the manifest", kMaxManifestBytes);
  json::EachString(document, CharactersToBytes);
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
  manifest.session_settings = Strings(document, "session_settings");
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
  for (const json::Json& copy : json::List(document, "copies")) manifest.copies.push_back(CopyFromJson(copy));
  return manifest;
}

}  // namespace mfi::core
