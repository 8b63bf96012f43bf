// Finds libssmtp and gives it to the runtime before the first call.

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Ssmtp
{
    internal static partial class Native
    {
        /// <summary>
        /// The soname. The system's loader answers it with a library that is open already under it, which is how Mono gets the
        /// file that was found; .NET asks <see cref="LibrarySearch.Resolve"/>.
        /// </summary>
        internal const string Library = "libssmtp.so.0";

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate long ReadCallback(IntPtr userdata, IntPtr buffer, UIntPtr size);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void CloseCallback(IntPtr userdata);
    }

    /// <summary>
    /// Looks in SSMTP_LIBRARY, beside the assembly, where NuGet puts libraries, in the target folder the assembly was built into,
    /// and leaves the rest to the system's loader.
    /// </summary>
    internal static class LibrarySearch
    {
        private static readonly object Gate = new object();
        private static bool prepared;
        private static string found;
        private static Func<string, IntPtr> load;

        /// <summary>
        /// Comes before the first call. Mono looks for a C function when it compiles the method that calls it, so that the caller
        /// of this one must not call C itself but through another method, one that is not inlined.
        /// </summary>
        internal static void Prepare()
        {
            lock (Gate)
            {
                if (prepared)
                {
                    return;
                }
                found = Find();
                if (Type.GetType("Mono.Runtime") == null)
                {
                    RegisterResolver();
                }
                else if (found != null)
                {
                    OpenForMono(found);
                }
                prepared = true;
            }
        }

        private static string Find()
        {
            string named = Environment.GetEnvironmentVariable("SSMTP_LIBRARY");
            if (!string.IsNullOrEmpty(named))
            {
                if (!File.Exists(named))
                {
                    throw new DllNotFoundException("SSMTP_LIBRARY names " + named + ", which does not exist");
                }
                return Path.GetFullPath(named);
            }
            foreach (string folder in Folders())
            {
                foreach (string name in new[] { "libssmtp.so.0", "libssmtp.so", "libssmtp.dylib" })
                {
                    string path = Path.Combine(folder, name);
                    if (File.Exists(path))
                    {
                        return path;
                    }
                }
            }
            return null;
        }

        private static IEnumerable<string> Folders()
        {
            string location = typeof(LibrarySearch).Assembly.Location;
            string beside = string.IsNullOrEmpty(location) ? null : Path.GetDirectoryName(location);
            if (beside == null)
            {
                yield break;
            }
            yield return beside;
            // Where NuGet puts it: beside the program's assemblies, or in the package as it was unpacked.
            string native = Path.Combine("runtimes", Os() + "-" + Machine(), "native");
            yield return Path.Combine(beside, native);
            yield return Path.Combine(beside, "..", "..", native);
            // A build in the source tree: target/dotnet/Ssmtp.dll.
            string target = Path.GetDirectoryName(beside);
            if (target != null && Path.GetFileName(beside) == "dotnet" && Path.GetFileName(target) == "target")
            {
                yield return Path.Combine(target, "release");
                yield return Path.Combine(target, "debug");
            }
        }

        private static string Os()
        {
            return RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "osx" : "linux";
        }

        private static string Machine()
        {
            return RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        }

        /// <summary>
        /// Mono asks the system's loader for the soname, and the loader answers with what is open already under it. So the
        /// file is opened by its path first.
        /// </summary>
        private static void OpenForMono(string path)
        {
            byte[] name = Utf8.Bytes(path);
            IntPtr library;
            try
            {
                library = DlopenOfLibdl(name, RtldNow | RtldGlobal);
            }
            catch (DllNotFoundException)
            {
                library = DlopenOfLibc(name, RtldNow | RtldGlobal);
            }
            if (library == IntPtr.Zero)
            {
                throw new DllNotFoundException(path + " cannot be loaded");
            }
        }

        /// <summary>.NET Core 3 and later: NativeLibrary, which netstandard2.0 does not know, through reflection.</summary>
        private static void RegisterResolver()
        {
            Assembly core = typeof(object).Assembly;
            Type library = core.GetType("System.Runtime.InteropServices.NativeLibrary");
            Type resolver = core.GetType("System.Runtime.InteropServices.DllImportResolver");
            if (library == null || resolver == null)
            {
                return;
            }
            load = (Func<string, IntPtr>)Delegate.CreateDelegate(
                typeof(Func<string, IntPtr>),
                library.GetMethod("Load", new[] { typeof(string) }));
            MethodInfo resolve = typeof(LibrarySearch).GetMethod("Resolve", BindingFlags.NonPublic | BindingFlags.Static);
            library.GetMethod("SetDllImportResolver").Invoke(
                null,
                new object[] { typeof(LibrarySearch).Assembly, Delegate.CreateDelegate(resolver, resolve) });
        }

        internal static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? paths)
        {
            if (name != Native.Library)
            {
                return IntPtr.Zero;
            }
            // A delegate instead of Invoke: what cannot be loaded comes out as the exception it is.
            return load(found ?? (RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "libssmtp.dylib" : name));
        }

        private const int RtldNow = 2;
        private const int RtldGlobal = 0x100;

        [DllImport("libdl.so.2", EntryPoint = "dlopen", CallingConvention = CallingConvention.Cdecl)]
        private static extern IntPtr DlopenOfLibdl(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "dlopen", CallingConvention = CallingConvention.Cdecl)]
        private static extern IntPtr DlopenOfLibc(byte[] path, int flags);
    }
}
