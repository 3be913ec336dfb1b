// Any text as a configuration file either gives settings or one sentence that says what is wrong; nothing else gets out.
#include <node_config.hpp>
#include <tool_error.hpp>

#include <dunlin/core/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try {
        static_cast<void>(dunlin_tool::read_node_config(text, "fuzz.toml"));
    } catch (const dunlin_tool::ToolError& error) { DUNLIN_ASSERT(!std::string_view{error.what()}.empty()); }
    return 0;
}
