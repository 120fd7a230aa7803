{
  'target_defaults': {
    'cflags': ['-Wall', '-Wextra', '-Wno-unused-parameter'],
    'cflags_cc': ['-std=c++17'],
    'cflags_cc!': ['-fno-exceptions'],
    'include_dirs': ['../../../native/src/ggate'],
  },
  'targets': [
    {
      # The addon, with the calls of remote-system.cc in the place of the system's.
      'target_name': 'hast',
      'sources': [
        '../../../native/src/codecs.cc',
        '../../../native/src/device.cc',
        '../../../native/src/disk-pool.cc',
        '../../../native/src/ggate/binding.cc',
        '../../../native/src/ggate/disk.cc',
        '../../../native/src/ggate/driver.cc',
        '../../../native/src/ggate/provider.cc',
        '../../../native/src/memory.cc',
        '../../../native/src/process.cc',
        '../../../native/src/socket.cc',
        '../../../native/src/syslog.cc',
        '../../../native/src/transfer.cc',
        'fake-addon.cc',
        'remote-system.cc',
      ],
      'include_dirs': ['<!@(node -p "require(\'node-addon-api\').include")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
    },
    {
      # The kernel, as a process: it outlives those who use it.
      'target_name': 'ggate_kernel',
      'type': 'executable',
      'sources': ['fake-kernel.cc', 'server.cc'],
      'libraries': ['-lpthread'],
    },
  ],
}
