#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace dunlin_tool {

// One sentence for a person about an event; nothing for those that only programs want.
[[nodiscard]] std::optional<std::string> tell(const dunlin::Event& event);

// A file of JSON lines, appended to. Each line is with the kernel when write() returns, so that it outlives the process.
class EventFile {
  public:
    // Throws ToolError.
    explicit EventFile(const std::string& path);
    EventFile(const EventFile&) = delete;
    EventFile& operator=(const EventFile&) = delete;
    ~EventFile();

    void write(const nlohmann::ordered_json& line);

  private:
    int descriptor_ = -1;
};

}  // namespace dunlin_tool
