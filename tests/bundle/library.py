"""Declarations of TensorFlow Lite for Microcontrollers, which has no package of headers: what the programs use of it.

`OLD` has the names of its older versions, and an interpreter that answers the vectors of a bundle, changed as a test
says. `NEW` has those of the wheel tflite-micro, whose shared object exports them; its interpreter is the real one.
"""

from __future__ import annotations

from pathlib import Path

_OLD_RESOLVER = """
#pragma once
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
#define TF_LITE_ENSURE_STATUS(a) do { const TfLiteStatus s = (a); if (s != kTfLiteOk) return s; } while (0)
namespace tflite {
class MicroOpResolver {};
template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver {
 public:
  unsigned int count = 0;
  TfLiteStatus AddConv2D() { return Add(); }
  TfLiteStatus AddMean() { return Add(); }
  TfLiteStatus AddSoftmax() { return Add(); }
 private:
  TfLiteStatus Add() { return ++count <= tOpCount ? kTfLiteOk : kTfLiteError; }
};
}
"""
_OLD_INTERPRETER = """
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "vectors.h"
namespace tflite {
class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver&, uint8_t*, size_t size) : model_(model), size_(size) {}
  TfLiteStatus AllocateTensors() { return size_ == 4096 && model_ ? kTfLiteOk : kTfLiteError; }
  size_t arena_used_bytes() const { return size_ - 16; }
  template <class T> T* typed_input_tensor(int) { return reinterpret_cast<T*>(input_); }
  template <class T> T* typed_output_tensor(int) { return reinterpret_cast<T*>(output_); }
  TfLiteStatus Invoke() {
    for (int i = 0; i < kVectors; ++i)
      if (!std::memcmp(input_, kVectorInputs[i], sizeof kVectorInputs[i])) {
        std::memcpy(output_, kVectorOutputs[i], sizeof kVectorOutputs[i]);
        output_[CHANGED] += STEPS;
        return kTfLiteOk;
      }
    return kTfLiteError;
  }
 private:
  const Model* model_;
  size_t size_;
  char input_[kInputs], output_[kOutputs];
};
}
"""
OLD = {
    "micro/micro_mutable_op_resolver.h": _OLD_RESOLVER,
    "micro/micro_interpreter.h": _OLD_INTERPRETER,
    "micro/micro_log.h": "#pragma once\n#include <cstdio>\n"
    '#define MicroPrintf(...) (std::printf(__VA_ARGS__), std::puts(""))\n',
    "micro/system_setup.h": "#pragma once\nnamespace tflite { inline void InitializeTarget() {} }\n",
    "schema/schema_generated.h": "#pragma once\nnamespace tflite { struct Model; "
    "inline const Model* GetModel(const void* p) { return static_cast<const Model*>(p); } }\n",
}
# The resolver of the wheel has all operators; that of a program only counts them. Objects have more room than the
# library's take.
_NEW_RESOLVER = """
#pragma once
#include <cstddef>
#include <cstdint>
#define TF_LITE_ENSURE_STATUS(a) do { const TfLiteStatus s = (a); if (s != kTfLiteOk) return s; } while (0)
namespace tflite {
class Model;
class PythonOpsResolver {
 public:
  PythonOpsResolver();
 private:
  alignas(16) char room_[1 << 17];
};
namespace micro {
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
class MicroOpResolver;
template <unsigned int tOpCount> class MicroMutableOpResolver {
 public:
  operator const MicroOpResolver&() const { return reinterpret_cast<const MicroOpResolver&>(all_); }
  TfLiteStatus AddAdd() { return Add(); }
  TfLiteStatus AddConv2D() { return Add(); }
  TfLiteStatus AddDepthwiseConv2D() { return Add(); }
  TfLiteStatus AddMean() { return Add(); }
  TfLiteStatus AddReshape() { return Add(); }
  TfLiteStatus AddSoftmax() { return Add(); }
 private:
  TfLiteStatus Add() { return ++count_ <= tOpCount ? kTfLiteOk : kTfLiteError; }
  PythonOpsResolver all_;
  unsigned int count_ = 0;
};
}
}
"""
_NEW_INTERPRETER = """
#pragma once
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
namespace tflite::micro {
class MicroResourceVariables;
class MicroProfilerInterface;
struct TfLiteTensor;
class MicroInterpreter {
 public:
  MicroInterpreter(const Model*, const MicroOpResolver&, uint8_t* arena, size_t size,
                   MicroResourceVariables* = nullptr, MicroProfilerInterface* = nullptr, bool = false);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(size_t);
  TfLiteTensor* output(size_t);
  size_t arena_used_bytes() const { return 0; }
  // The data of a tensor is its fourth word.
  template <class T> T* typed_input_tensor(int i) { return reinterpret_cast<T**>(input(i))[3]; }
  template <class T> T* typed_output_tensor(int i) { return reinterpret_cast<T**>(output(i))[3]; }
 private:
  alignas(16) char room_[1 << 13];
};
}
"""
NEW = {
    "micro/micro_mutable_op_resolver.h": _NEW_RESOLVER,
    "micro/micro_interpreter.h": _NEW_INTERPRETER,
    "micro/micro_log.h": "#pragma once\nvoid MicroPrintf(const char*, ...);\n",
    "micro/system_setup.h": "#pragma once\nnamespace tflite::micro { inline void InitializeTarget() {} }\n",
    # The offset of the root table stands first.
    "schema/schema_generated.h": "#pragma once\nnamespace tflite { inline const Model* GetModel(const void* p) { "
    "return reinterpret_cast<const Model*>(static_cast<const char*>(p) + *static_cast<const unsigned*>(p)); } }\n",
}


def write(place: Path, headers: dict[str, str]) -> None:
    """Write the headers where a program in `place` includes them."""
    for name, text in headers.items():
        path = place / "tensorflow" / "lite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
